"""Overview, pipeline, dead letters, health and info."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream import metrics
from logstream.broker.base import DeadLetter
from logstream.dashboard.advice import advise
from logstream.dashboard.history import History, Sample, quantile, sample_now
from logstream.dashboard.services import Services
from logstream.errors import StoreUnavailable
from logstream.record import Record, batch_of, decode_batch, encode_batch, records_of
from logstream.settings import Settings
from logstream.store.base import StoreStats
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from logstream.testing.faults import FaultyStore
from tests.dashboard.support import (
    NOW_NS,
    S,
    assert_error,
    make_services,
    open_client,
    store_records,
)


async def test_overview_counts_and_compares(
    client: httpx.AsyncClient, services: Services, stored: Sequence[Record]
) -> None:
    """Rates, errors and services are those of the window, against the window before it."""
    older = [Record(timestamp_ns=NOW_NS - 20 * 60 * S, service="old")] * 3
    await store_records(services.store, older, group=2)
    answer = (await client.get("/api/v1/overview")).json()
    assert answer["stored_records"] == 9
    assert answer["logs_per_s"]["value"] == pytest.approx(6 / 900)
    assert answer["logs_per_s"]["previous"] == pytest.approx(3 / 900)
    assert answer["logs_per_s"]["change"] == pytest.approx(1.0)
    assert answer["error_rate"]["value"] == pytest.approx(2 / 6)
    assert answer["error_rate"]["change"] is None
    assert answer["active_services"]["value"] == 3
    assert len(answer["active_services"]["series"]) == len(answer["volume"]["buckets"])
    assert [n > 0 for n in answer["active_services"]["series"]] == [
        bucket["total"] > 0 for bucket in answer["volume"]["buckets"]
    ]
    assert answer["volume"]["total"] == 6
    assert [v["value"] for v in answer["noisiest_services"]] == ["api", "db", "web"]
    assert {v["value"] for v in answer["errors_by_service"]} == {"api", "db"}
    assert [r["message"] for r in answer["newest_errors"]] == [
        "out of memory",
        "connection refused",
    ]


@pytest.mark.parametrize(
    ("failing", "lost"),
    [
        ("histogram", {"volume", "logs_per_s", "error_rate"}),
        ("facets", {"errors_by_service", "noisiest_services"}),
        ("table", {"active_services"}),
        ("search", {"newest_errors"}),
        ("stats", {"stored_records"}),
    ],
)
async def test_each_panel_of_the_overview_fails_alone(failing: str, lost: set[str]) -> None:
    """A query that fails takes its own panels and no other, and each says why."""
    store = FaultyStore(MemoryStore())
    async with make_services(store=store) as services, open_client(services) as client:
        store.failing = {failing}
        response = await client.get("/api/v1/overview")
        answer = response.json()
        assert {name for name, value in answer.items() if value is None} == lost
        assert answer["failed"].keys() == lost
        for error in answer["failed"].values():
            assert error["code"] == "store_unavailable"
            assert error["request_id"] == response.headers["x-request-id"]
        store.failing, store.down = set(), True
        assert_error(await client.get("/api/v1/overview"), 503, "store_unavailable")


async def test_every_number_links_to_its_records(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """The queries behind the tiles run and find what the tiles count."""
    answer = (await client.get("/api/v1/overview", params={"query": "NOT service:web"})).json()
    errors = await client.get("/api/v1/search", params={"query": answer["error_rate"]["query"]})
    assert errors.json()["stats"]["matched"] == 2
    rate = await client.get("/api/v1/search", params={"query": answer["logs_per_s"]["query"]})
    assert rate.json()["stats"]["matched"] == 5
    active = answer["active_services"]
    table = await client.get("/api/v1/search", params={"query": active["query"]})
    assert len(table.json()["records"]) == active["value"] == 2


async def test_own_numbers_come_from_the_history(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Latency and writes saved are taken over the window, with a series."""
    groups, records = "logstream_worker_groups_total", "logstream_records_stored_total"
    waits = "logstream_searchable_seconds_bucket"
    for i in range(13):
        values = {
            (groups, "age"): float(i),
            (records, ""): 1_000.0 * i,
            (waits, "0.5"): 0.0,
            (waits, "1.0"): 1_000.0 * i,
            (waits, "+Inf"): 1_000.0 * i,
        }
        services.history.add(Sample(NOW_NS - (12 - i) * 5 * S, values))
    answer = (await client.get("/api/v1/overview")).json()
    assert answer["writes_saved"]["value"] == pytest.approx(0.999)
    assert answer["searchable_p50_s"]["value"] == pytest.approx(0.75)
    assert answer["searchable_p95_s"]["previous"] is None
    assert len(answer["writes_saved"]["series"]) == 12


async def test_pipeline_shows_each_step(client: httpx.AsyncClient, services: Services) -> None:
    """Each stage has a rate from the counters; rejections and flushes come by cause."""
    metrics.RECORDS_REJECTED.labels("future").inc()
    before = sample_now(NOW_NS - 50 * S)
    services.history.add(before)
    later = dict(before.values)
    for name, label, more in (
        ("logstream_records_accepted_total", "", 900),
        ("logstream_records_rejected_total", "future", 100),
        ("logstream_records_stored_total", "", 500),
        ("logstream_worker_groups_total", "age", 5),
    ):
        later[name, label] = later.get((name, label), 0.0) + more
    services.history.add(Sample(NOW_NS, later))
    answer = (await client.get("/api/v1/pipeline")).json()
    rates = {stage["name"]: stage["records_per_s"] for stage in answer["stages"]}
    assert list(rates) == ["receive", "validate", "queue", "batch", "database"]
    assert rates["receive"] == pytest.approx(20)
    assert rates["validate"] == pytest.approx(18)
    assert rates["database"] == pytest.approx(10)
    rejected = {cause["reason"]: cause["recent"] for cause in answer["rejected"]}
    assert rejected["future"] == 100
    assert answer["batch"]["writes_saved_recent"] == pytest.approx(0.99)
    assert answer["queue"]["entries"] == 0
    assert answer["queue"]["capacity_bytes"] == 1 << 20
    assert answer["queue"]["fill"] == 0
    assert [w["panel"] for w in answer["warnings"]] == ["validate"]
    assert all(w["change"] for w in answer["warnings"])


async def test_pipeline_shows_storage_by_day(
    client: httpx.AsyncClient, services: Services, stored: Sequence[Record]
) -> None:
    """Storage has its days, bytes a record, and what the retention will come to."""
    storage = (await client.get("/api/v1/pipeline")).json()["storage"]
    assert storage["records"] == len(stored)
    assert sum(day["records"] for day in storage["days"]) == len(stored)
    assert storage["forecast_bytes"] == pytest.approx(storage["bytes_per_day"] * 30)
    assert storage["newest"] == stored_newest(stored)


def stored_newest(stored: Sequence[Record]) -> str:
    assert stored[-1].timestamp_ns == NOW_NS - 5 * S + 123_456_789
    return "2023-11-14T22:13:15.123456789Z"


class DownStore(MemoryStore):
    """A store that cannot be reached."""

    async def stats(self) -> StoreStats:
        raise StoreUnavailable("the store is down")

    async def ping(self) -> None:
        raise StoreUnavailable("the store is down")


async def test_pipeline_answers_while_the_store_is_down(clock: FakeClock) -> None:
    """One part that is down is a warning; the others are shown all the same."""
    async with (
        make_services(store=DownStore(), clock=clock) as services,
        open_client(services) as client,
    ):
        answer = (await client.get("/api/v1/pipeline")).json()
        assert answer["storage"] is None
        assert answer["queue"] is not None
        assert answer["warnings"][0]["severity"] == "critical"
        assert answer["warnings"][0]["panel"] == "storage"
        assert_error(await client.get("/ready"), 503, "unavailable", "the store is down")
        assert (await client.get("/health")).status_code == 200


def test_advice_names_a_change_for_everything() -> None:
    """Whatever is wrong comes with what to change, the gravest first."""
    found = advise(
        failures={"queue": "gone", "storage": ""},
        broker_warnings=("no fsync",),
        fill=0.95,
        oldest_age_s=100.0,
        flush_interval_s=1.0,
        quarantined=1,
        dead_letters=2,
        recent={"rejected": 1, "retried": 1, "refused": 1},
        disk_full_in_s=86_400.0,
    )
    assert len(found) == 10
    assert all(each.message and each.change for each in found)
    grades = ["critical", "warning", "info"]
    assert [each.severity for each in found] == sorted(
        (each.severity for each in found), key=grades.index
    )


def test_no_advice_when_all_is_well() -> None:
    """A healthy pipeline has no warnings."""
    found = advise(
        failures={}, broker_warnings=(), fill=0.1, oldest_age_s=0.5, flush_interval_s=1.0,
        quarantined=0, dead_letters=0, recent={}, disk_full_in_s=None,
    )  # fmt: skip
    assert found == []


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50), st.floats(0.01, 0.99))
def test_quantiles_are_right_to_a_bucket(values: list[float], q: float) -> None:
    """A quantile lies in the bucket that holds the value of that rank."""
    bounds = [0.5, 1.0, 2.0, 5.0, 10.0]
    buckets = {str(b): float(sum(v <= b for v in values)) for b in bounds}
    found = quantile(buckets, q)
    assert found is not None
    rank = max(q * len(values), 1e-9)
    upper = next(b for b in bounds if buckets[str(b)] >= rank)
    lower = max((b for b in [0.0, *bounds] if b < upper), default=0.0)
    assert lower <= found <= upper


def test_history_needs_two_samples() -> None:
    """With one sample there is no rate and no series, and nothing fails."""
    history = History([Sample(NOW_NS, {("x", ""): 5.0})])
    span = history.last(60, NOW_NS)
    assert span.rate("x") is None
    assert span.quantile("x", 0.5) is None
    assert list(span.parts(10)) == []


def test_a_counter_that_began_again_counts_nothing() -> None:
    """A counter that fell, because a process began anew, never gives a negative rate."""
    history = History([Sample(0, {("x", ""): 9.0}), Sample(S, {("x", ""): 1.0})])
    assert history.last(60, S).rate("x") == 0


async def dead_letter(services: Services, message: str) -> None:
    payload = encode_batch(batch_of([Record(timestamp_ns=NOW_NS, message=message)]))
    letter = DeadLetter(payload=payload, rows=1, reason="too odd", at_ns=NOW_NS)
    async with await services.broker.consumer() as consumer:
        await consumer.dead_letter([letter])


async def test_dead_letters_are_listed(client: httpx.AsyncClient, services: Services) -> None:
    """A dead letter is shown with its reason, its time and its records."""
    await dead_letter(services, "odd one")
    answer = (await client.get("/api/v1/dead-letters")).json()
    assert answer["total"] == 1
    (letter,) = answer["dead_letters"]
    assert letter["reason"] == "too odd"
    assert letter["records"][0]["message"] == "odd one"


async def test_dead_letters_are_replayed(client: httpx.AsyncClient, services: Services) -> None:
    """A replayed letter is in the queue again and no longer dead."""
    await dead_letter(services, "again")
    (letter,) = (await client.get("/api/v1/dead-letters")).json()["dead_letters"]
    answer = await client.post("/api/v1/dead-letters/replay", json={"ids": [letter["id"]]})
    assert answer.json() == {"dead_letters": 1, "records": 1}
    assert (await client.get("/api/v1/dead-letters")).json()["total"] == 0
    async with await services.broker.consumer() as consumer:
        (entry,) = await consumer.read(max_bytes=1 << 20, wait_s=1)
    (record,) = records_of(decode_batch(entry.message.payload))
    assert record.message == "again"


async def test_dead_letters_are_deleted(client: httpx.AsyncClient, services: Services) -> None:
    """ids=all forgets them all."""
    await dead_letter(services, "one")
    await dead_letter(services, "two")
    answer = await client.delete("/api/v1/dead-letters", params={"ids": "all"})
    assert answer.json() == {"dead_letters": 2}
    assert (await client.get("/api/v1/dead-letters")).json()["dead_letters"] == []


async def test_unknown_dead_letters(client: httpx.AsyncClient) -> None:
    """An id that is not there is a 404, no ids a 400, and nothing happens."""
    replay = "/api/v1/dead-letters/replay"
    assert_error(await client.post(replay, json={"ids": ["x"]}), 404, "not_found")
    assert_error(await client.post(replay, json={"ids": []}), 400, "bad_request")
    assert_error(await client.delete("/api/v1/dead-letters"), 400, "bad_request", "ids")


async def test_health_ready_and_metrics(client: httpx.AsyncClient) -> None:
    """The three answers that watchers ask for are on this port too."""
    assert (await client.get("/health")).json()["status"] == "ok"
    ready = (await client.get("/ready")).json()
    assert ready["status"] == "ready"
    assert ready["durability"]
    text = await client.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "logstream_records_accepted_total" in text.text


async def test_info_tells_no_secret(clock: FakeClock) -> None:
    """info has limits and version, neither keys nor passwords in URLs."""
    settings = Settings(
        api_keys=("s3cret-key",), broker="redis://u:s3cret-pw@h/", store="clickhouse://u:s3cret@h/"
    )
    async with (
        make_services(settings=settings, clock=clock) as services,
        open_client(services) as client,
    ):
        answer = await client.get("/api/v1/info", headers={"x-api-key": "s3cret-key"})
    assert "s3cret" not in answer.text
    assert answer.json()["broker"] == "redis"
    assert answer.json()["keys_required"] is True
    assert msgspec.json.decode(answer.content)["retention_s"] == settings.retention_s
