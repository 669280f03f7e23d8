"""Core-µs per record of decoding, by stage: ``python -m benchmarks.wire_micro [RECORDS_A_BODY]``.

Each figure is the least of many short runs on one body, so that other work on the machine shows
as little as it can. Stages: JSON to slots (the compiled shape), slots to columns, columns to the
Arrow stream that the broker keeps; then whole decodes on either path, for the shapes that people
send.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from logstream.record import encode_batch
from logstream.timestamps import format_timestamp
from logstream.wire import NativeDecoder, Rejections, WireLimits, fast

NOW_NS = 1_795_446_000_000_000_000
RUNS = 100
SERVICES = ("checkout", "payments", "auth", "catalog", "cart", "search", "shipping", "gateway")
MESSAGES = (
    "cache hit ratio {r} for shard {s}",
    "GET /api/v1/items/{i} 200 {s}ms",
    "kafka consumer lag partition={s} offset={i}",
    "published event OrderCreated id={i} to topic orders-{s}",
)


def record(rnd: random.Random, n: int) -> dict[str, Any]:
    return {
        "timestamp": format_timestamp(NOW_NS - (10_000 - n) * 37_000),
        "level": rnd.choice(("info", "info", "info", "debug", "warn", "error")),
        "service": rnd.choice(SERVICES),
        "message": rnd.choice(MESSAGES).format(
            r=round(rnd.random(), 3), s=rnd.randrange(64), i=rnd.randrange(10**7)
        ),
        "trace_id": f"{rnd.getrandbits(128):032x}",
        "attributes": {
            "host": f"node-{rnd.randrange(40):02d}",
            "region": rnd.choice(("eu", "us", "ap")),
            "status": rnd.choice((200, 200, 404, 500)),
            "duration_ms": round(rnd.random() * 1000, 3),
        },
    }


def flat(value: dict[str, Any]) -> dict[str, Any]:
    """The same record as pino or structlog would write it."""
    attributes = value.pop("attributes")
    return {"time": value.pop("timestamp"), "msg": value.pop("message"), **value, **attributes}


def least_us(work: Callable[[], object], records: int) -> float:
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time_ns()
        work()
        best = min(best, time.process_time_ns() - began)
    return best / records / 1_000


def show(name: str, us: float) -> None:
    print(f"{name:<44}{us:8.2f}")


def show_whole(name: str, items: list[str]) -> None:
    """Whole decodes of one kind of body: lines, an array, and without a compiled shape."""
    decoder = NativeDecoder(WireLimits())
    raw = "\n".join(items).encode()
    for form, body in (("lines", raw), ("array", f"[{','.join(items)}]".encode())):
        decoder.decode(body, now_ns=NOW_NS)
        decode = partial(decoder.decode, body, now_ns=NOW_NS)
        show(f"whole, {name}, {form}", least_us(decode, len(items)))
    careful = partial(decoder.rows, raw, NOW_NS, Rejections())
    show(f"rows of the careful path, {name}", least_us(careful, len(items)))


def main(records: int) -> None:
    rnd = random.Random(42)
    nested = [record(rnd, n) for n in range(records)]
    bodies = {
        "nested attributes": [json.dumps(item, separators=(",", ":")) for item in nested],
        "flat keys": [json.dumps(flat(dict(item)), separators=(",", ":")) for item in nested],
    }
    lines = bodies["nested attributes"]
    body = "\n".join(lines).encode()
    limits = WireLimits()
    decoder = NativeDecoder(limits)
    first = decoder.decode(body, now_ns=NOW_NS).batch
    (compiled,) = decoder._shapes._known.values()  # noqa: SLF001 - to time its stages apart
    slots = compiled.lines.decode_lines(body)
    window_ns = limits.window_ns(NOW_NS)
    print(f"{records} records of {len(body) // records} bytes           core-µs per record")
    show("JSON to slots", least_us(lambda: compiled.lines.decode_lines(body), records))
    show(
        "slots to columns",
        least_us(lambda: fast.build(slots, compiled, limits, window_ns, (NOW_NS,)), records),
    )
    show("columns to Arrow stream, lz4", least_us(lambda: encode_batch(first), records))
    for name, items in bodies.items():
        show_whole(name, items)
    singles = [line.encode() for line in lines[:64]]
    times = [NOW_NS] * len(singles)
    for _ in range(3):
        decoder.singles(singles, times)
    show("64 bodies of one record, together", least_us(lambda: decoder.singles(singles, times), 64))
    show(
        "UTF-8 check of the body, for comparison",
        least_us(body.decode, records),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
