"""The simulator's records: a pure generator, the same for the same seed.

Requests run through several services and share a trace id; each service's records carry a span
whose parent is the caller's. Records come in order of time.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from logstream.clock import NS_PER_S
from logstream.simulate.fleet import (
    BACKGROUND,
    FLOWS,
    HOSTS_PER_SERVICE,
    REGIONS,
    SERVICES,
    Flow,
    Step,
)
from logstream.simulate.scenario import SCENARIOS, Moment, moment, release_of

__all__ = ["events"]

_NS_PER_MS = 1_000_000
_BACKGROUND_SHARE = 0.25
_TIMEOUT_MS = 2_000.0

_CATEGORIES = ("shoes", "books", "garden", "kitchen", "toys", "outdoor")
_WORDS = ("lamp", "running shoes", "coffee grinder", "tent", "übergröße", "desk", "bicycle")
_CARRIERS = ("DHL", "UPS", "GLS", "DPD")
_FLOW_WEIGHTS = tuple(accumulate(flow.weight for flow in FLOWS))
_BACKGROUND_WEIGHTS = tuple(accumulate(each.weight for each in BACKGROUND))

_TIMEOUT_TRACE = """com.shop.payment.ProviderTimeoutException: no answer after 2000 ms
\tat com.shop.payment.PspClient.charge(PspClient.java:118)
\tat com.shop.payment.ChargeService.charge(ChargeService.java:64)
\tat com.shop.payment.ChargeController.post(ChargeController.java:31)
Caused by: java.net.SocketTimeoutException: Read timed out
\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)
\t... 14 more"""
_BUG_TRACE = """Traceback (most recent call last):
  File "/app/%s/handlers.py", line 87, in handle
    return self.render(self.load(request))
  File "/app/%s/models.py", line 42, in load
    return self._rows[key]
KeyError: %r"""


def events(seed: int, scenario: str, rate: float, start_ns: int) -> Iterator[dict[str, Any]]:
    """Records without end, as ``POST /logs`` takes them; ``timestamp`` in nanoseconds.

    Args:
        seed: Equal seeds give equal records.
        scenario: One of `SCENARIOS`.
        rate: Records a second, on average.
        start_ns: Time of the first record.

    Raises:
        ValueError: there is no such scenario, or the rate is not above 0.
    """
    if scenario not in SCENARIOS or not rate > 0:
        raise ValueError(f"cannot simulate {scenario!r} at {rate} records/s")
    shop = _Shop(random.Random(seed))  # noqa: S311 – reproducible on purpose
    return _in_order(shop, scenario, rate, start_ns)


def _in_order(shop: _Shop, scenario: str, rate: float, start_ns: int) -> Iterator[dict[str, Any]]:
    waiting: list[tuple[int, int, dict[str, Any]]] = []
    number = 0
    at_ns = start_ns
    while True:
        now = moment(scenario, (at_ns - start_ns) / NS_PER_S)
        batch = shop.next(at_ns, now)
        for event in batch:
            heapq.heappush(waiting, (event["timestamp"], number, event))
            number += 1
        pause_s = len(batch) / (rate * now.traffic) * (0.5 + shop.random.random())
        at_ns += int(pause_s * NS_PER_S)
        while waiting and waiting[0][0] <= at_ns:
            yield heapq.heappop(waiting)[2]


class _Shop:
    """Draws requests and what the services log about them."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self._hosts = {
            service: [
                (f"{service}-{i}.{REGIONS[i % len(REGIONS)]}", REGIONS[i % len(REGIONS)])
                for i in range(HOSTS_PER_SERVICE)
            ]
            for service in SERVICES
        }

    def next(self, at_ns: int, now: Moment) -> list[dict[str, Any]]:
        if self.random.random() < _BACKGROUND_SHARE:
            return [self._background(at_ns, now)]
        flow = self.random.choices(FLOWS, cum_weights=_FLOW_WEIGHTS)[0]
        return self._request(flow, at_ns, now)

    def _background(self, at_ns: int, now: Moment) -> dict[str, Any]:
        chosen = self.random.choices(BACKGROUND, cum_weights=_BACKGROUND_WEIGHTS)[0]
        event = self._event(chosen.service, at_ns, now)
        event["level"] = chosen.level
        event["message"] = chosen.message % self._names()
        return event

    def _names(self) -> dict[str, Any]:
        bits = self.random.getrandbits(120)
        return {
            "user": bits & 0xFFFF,
            "session": f"{bits >> 88:08x}",
            "product": f"SKU-{(bits >> 16) & 0xFFF:04d}",
            "quantity": 1 + ((bits >> 28) & 3),
            "warehouse": 1 + ((bits >> 30) & 7),
            "category": _CATEGORIES[((bits >> 33) & 0xFF) % len(_CATEGORIES)],
            "word": _WORDS[((bits >> 41) & 0xFF) % len(_WORDS)],
            "hits": (bits >> 49) & 0x3FF,
            "cart": f"c{(bits >> 59) & 0xFFFFF:05x}",
            "order": f"o-{(bits >> 40) & 0xFFFFFFF:08d}",
            "total": f"{((bits >> 20) & 0x7FFF) / 100:.2f}",
            "carrier": _CARRIERS[(bits >> 79) & 3],
            "ip": f"203.0.113.{(bits >> 81) & 0x7F}",
            "shard_ms": 1 + ((bits >> 70) & 15),
            "slow_ms": 900 + ((bits >> 74) & 0x7FF),
        }

    def _event(self, service: str, at_ns: int, now: Moment) -> dict[str, Any]:
        number = int(self.random.random() * HOSTS_PER_SERVICE)
        host, region = self._hosts[service][number]
        return {
            "timestamp": at_ns,
            "level": "info",
            "service": service,
            "message": "",
            "host.name": host,
            "cloud.region": region,
            "service.version": f"1.{release_of(service, number, now)}.0",
            "deployment.environment": "production",
        }

    def _request(self, flow: Flow, at_ns: int, now: Moment) -> list[dict[str, Any]]:
        names = self._names()
        names["method"] = flow.method
        names["path"] = flow.route % names
        trace_id = f"{self.random.getrandbits(128) | 1:032x}"
        spans = [f"{self.random.getrandbits(64) | 1:016x}" for _ in flow.steps]
        failing = self._failing(flow, now)
        found = []
        clock_ns, total_ms = at_ns, 0.0
        for index, step in enumerate(flow.steps):
            took_ms = step.mean_ms * (0.4 + self.random.expovariate(1.6))
            if index == failing and now.payment_down:
                took_ms = _TIMEOUT_MS
            clock_ns += int(took_ms * _NS_PER_MS)
            total_ms += took_ms
            event = self._event(step.service, clock_ns, now)
            event["trace_id"], event["span_id"] = trace_id, spans[index]
            if step.parent >= 0:
                event["parent_span_id"] = spans[step.parent]
            event["user.id"] = names["user"]
            event["duration_ms"] = round(took_ms, 3)
            event["level"], event["message"] = step.level, step.message % names
            found.append(event)
            if index == failing:
                self._fail(event, step, names, now)
                break
        self._answer(flow, found, clock_ns, total_ms, failing)
        return found

    def _failing(self, flow: Flow, now: Moment) -> int:
        if now.payment_down:
            for index, step in enumerate(flow.steps):
                if step.service == "payment":
                    return index
        if self.random.random() < now.error_share:
            return int(self.random.random() * (len(flow.steps) - 1)) + 1
        return -1

    def _fail(self, event: dict[str, Any], step: Step, names: dict[str, Any], now: Moment) -> None:
        event["level"] = "error"
        if now.payment_down:
            event["message"] = f"charging order {names['order']} failed: provider timed out"
            event["exception.type"] = "com.shop.payment.ProviderTimeoutException"
            event["exception.message"] = "no answer from psp.example.com after 2000 ms"
            event["exception.stacktrace"] = _TIMEOUT_TRACE
        else:
            event["message"] = f"unhandled exception: KeyError {names['product']!r}"
            event["exception.type"] = "KeyError"
            event["exception.message"] = repr(names["product"])
            event["exception.stacktrace"] = _BUG_TRACE % (
                step.service,
                step.service,
                names["product"],
            )

    def _answer(
        self, flow: Flow, found: list[dict[str, Any]], at_ns: int, total_ms: float, failing: int
    ) -> None:
        """Let the callers of a failed step report it, and the gateway say how the request ended."""
        if failing > 0:
            parent = flow.steps[failing].parent
            while parent > 0:
                caller = dict(found[parent], timestamp=at_ns + _NS_PER_MS, level="error")
                caller["message"] = f"call to {flow.steps[failing].service} failed, giving up"
                found.append(caller)
                parent = flow.steps[parent].parent
        status = 200 if failing < 0 else 504 if total_ms >= _TIMEOUT_MS else 500
        entry = found[0]
        entry["timestamp"] = at_ns + 2 * _NS_PER_MS
        entry["http.request.method"] = flow.method
        entry["http.route"] = flow.route.replace("%(product)s", "{id}")
        entry["http.response.status_code"] = status
        entry["duration_ms"] = round(total_ms, 3)
        entry["message"] += f" {status} in {total_ms:.0f} ms"
        if failing >= 0:
            entry["level"] = "error"
