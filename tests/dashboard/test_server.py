"""Through a real socket: live tail, streaming, clients that go, and stopping."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pyarrow as pa
import pytest

from logstream.broker.base import Message
from logstream.dashboard.history import sample_now
from logstream.dashboard.server import serve
from logstream.dashboard.services import Services
from logstream.dashboard.sse import HEARTBEAT_S
from logstream.errors import SettingError, StoreUnavailable
from logstream.query import Filter
from logstream.record import Record, batch_of, encode_batch
from logstream.settings import Settings
from logstream.store.base import Cursor, QueryLimits, SearchPage, Store, StoreStats, TimeRange
from logstream.store.memory import MemoryStore
from logstream.testing.faults import FaultyStore
from tests.dashboard.support import assert_error, make_services

NO_LIMITS = QueryLimits()


@asynccontextmanager
async def running(
    store: Store | None = None, heartbeat_s: float = HEARTBEAT_S, **settings: Any
) -> AsyncIterator[tuple[Services, httpx.AsyncClient, asyncio.Event]]:
    """A dashboard on a free port, a client of it, and the event that stops it."""
    chosen = Settings(dashboard_port=0, shutdown_timeout_s=0.5, **settings)
    async with make_services(settings=chosen, store=store, heartbeat_s=heartbeat_s) as services:
        stop = asyncio.Event()
        address: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        served = asyncio.create_task(
            serve(services, stop, on_listening=lambda h, p: address.set_result((h, p)))
        )
        done, _ = await asyncio.wait((served, address), return_when=asyncio.FIRST_COMPLETED)
        if served in done:
            served.result()
        host, port = await address
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=10) as client:
            yield services, client, stop
        stop.set()
        await served


async def append(services: Services, records: Sequence[Record]) -> None:
    async with await services.broker.producer() as producer:
        payload = encode_batch(batch_of(records))
        now_ns = services.clock.time_ns()
        await producer.append(Message(payload=payload, rows=len(records), received_ns=now_ns))


class Events:
    """Reads a stream of server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self.lines = response.aiter_lines()

    async def next(self, name: str) -> tuple[str, dict[str, Any]]:
        """Id and data of the next event of this name."""
        event = id_ = ""
        async for line in self.lines:
            field, _, value = line.partition(": ")
            if field == "event":
                event = value
            elif field == "id":
                id_ = value
            elif field == "data" and event == name:
                return id_, json.loads(value)
        raise AssertionError(f"the stream ended without {name}")


def record(services: Services, message: str, **members: Any) -> Record:
    return Record(timestamp_ns=services.clock.time_ns(), message=message, **members)


async def test_tail_shows_what_arrives() -> None:
    """Matching records come as rows events with an id, others do not; counts come as status."""
    async with (
        running() as (services, client, _),
        client.stream("GET", "/api/v1/tail", params={"query": "wanted"}) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        _, status = await events.next("status")
        assert status["dropped"] == 0
        wanted = record(services, "wanted\n\nevent: x", service="a")
        await append(services, [record(services, "other"), wanted])
        id_, rows = await events.next("rows")
        assert [row["message"] for row in rows["rows"]] == [wanted.message]
        assert rows["rows"][0]["received"]
        assert id_ == rows["resume"]
        assert rows["backfill"] is False


async def test_tail_begins_with_a_backfill() -> None:
    """backfill= brings the last matching records first."""
    async with running() as (services, client, _):
        await append(services, [record(services, f"m{i}") for i in range(5)])
        url = "/api/v1/tail?backfill=2"
        async with client.stream("GET", url) as response:
            _, rows = await Events(response).next("rows")
            assert rows["backfill"] is True
            assert [row["message"] for row in rows["rows"]] == ["m3", "m4"]


async def test_tail_resumes_where_it_was() -> None:
    """With Last-Event-ID nothing is missed and nothing shown twice."""
    async with running() as (services, client, _):
        async with client.stream("GET", "/api/v1/tail?backfill=0") as response:
            events = Events(response)
            await events.next("status")
            await append(services, [record(services, "seen")])
            id_, _ = await events.next("rows")
        await append(services, [record(services, "missed")])
        headers = {"last-event-id": id_}
        async with client.stream("GET", "/api/v1/tail", headers=headers) as response:
            _, rows = await Events(response).next("rows")
            assert [row["message"] for row in rows["rows"]] == ["missed"]


async def test_tail_refuses_what_it_cannot_follow() -> None:
    """Pipes, a query that does not parse and too many tails are errors in the one shape."""
    async with running(tail_clients=1) as (_, client, _stop):
        piped = await client.get("/api/v1/tail", params={"query": "* | stats count()"})
        assert_error(piped, 400, "bad_request", "pipes")
        assert_error(await client.get("/api/v1/tail?query=("), 400, "bad_query")
        async with client.stream("GET", "/api/v1/tail") as response:
            events = Events(response)  # as long as this is there, the stream stays open
            await events.next("status")
            assert_error(await client.get("/api/v1/tail"), 429, "too_many_requests")


async def test_tail_closes_when_its_client_goes() -> None:
    """A tail whose client went makes room for another one."""
    async with running(tail_clients=1) as (_, client, _stop):
        for _ in range(3):
            async with client.stream("GET", "/api/v1/tail") as response:
                await Events(response).next("status")
            # Seen by the server a moment later; only then is there room again.
            async with asyncio.timeout(10):
                while (await client.get("/api/v1/pipeline")).json()["tails"]["open"]:  # noqa: ASYNC110 – seen over HTTP only
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize("url", ["/api/v1/tail?backfill=0", "/api/v1/overview/stream?every_s=300"])
async def test_silent_streams_have_a_heartbeat(url: str) -> None:
    """A comment line comes again and again when nothing else does, and events still come."""
    async with (
        running(heartbeat_s=0.02) as (services, client, _),
        client.stream("GET", url) as response,
    ):
        lines = response.aiter_lines()
        heartbeats = 0
        async with asyncio.timeout(30):
            async for line in lines:
                heartbeats += line == ":"
                if heartbeats == 3:
                    break
        if "tail" in url:
            await append(services, [record(services, "after a silence")])
            async for line in lines:
                if line.startswith("data: ") and "after a silence" in line:
                    break
            else:
                raise AssertionError("the record did not come")


async def test_tails_end_when_the_server_stops() -> None:
    """Stopping ends an open stream with a last status, and does not wait for its client."""
    async with running() as (_, client, stop), client.stream("GET", "/api/v1/tail") as response:
        events = Events(response)
        await events.next("status")
        stop.set()
        _, status = await events.next("status")
        assert status["ended"] is True
        assert [line async for line in events.lines if line] == []


async def test_overview_is_pushed() -> None:
    """The overview comes at once and again, and the stream ends when the server stops."""
    async with running() as (services, client, stop):
        url = "/api/v1/overview/stream?every_s=1"
        async with client.stream("GET", url) as response:
            events = Events(response)
            _, first = await events.next("overview")
            assert first["stored_records"] == 0
            batch = batch_of([record(services, "new")])
            await services.store.insert(batch, group=1)
            _, second = await events.next("overview")
            assert second["stored_records"] == 1
            stop.set()
            assert [line async for line in events.lines if line] == []


class DownStore(MemoryStore):
    """A store that cannot tell its sizes."""

    async def stats(self) -> StoreStats:
        raise StoreUnavailable("the store is down")


async def test_pipeline_is_pushed() -> None:
    """The pipeline comes at once and again, over the window that was asked for."""
    async with running() as (services, client, stop):
        services.history.add(sample_now(services.clock.time_ns() - 20 * 10**9))
        url = "/api/v1/pipeline/stream?every_s=1&window_s=30"
        async with client.stream("GET", url) as response:
            events = Events(response)
            _, first = await events.next("pipeline")
            assert first["queue"]["entries"] == 0
            await append(services, [record(services, "new")])
            _, second = await events.next("pipeline")
            assert second["queue"]["records"] == 1
            plain = (await client.get("/api/v1/pipeline?window_s=30")).json()
            assert plain.keys() == second.keys()
            stop.set()
            assert [line async for line in events.lines if line] == []


async def test_pipeline_is_pushed_while_the_store_is_down() -> None:
    """That the store is away is in the pipeline's warnings, and no reason to end the stream."""
    async with (
        running(DownStore()) as (_, client, _stop),
        client.stream("GET", "/api/v1/pipeline/stream?every_s=1") as response,
    ):
        _, told = await Events(response).next("pipeline")
        assert told["storage"] is None
        assert "storage" in {warning["panel"] for warning in told["warnings"]}


class CountingStore(MemoryStore):
    """A store that counts how often its sizes were asked for."""

    looks = 0

    async def stats(self) -> StoreStats:
        self.looks += 1
        return await super().stats()


@pytest.mark.parametrize("page", ["overview", "pipeline"])
async def test_pages_share_one_look(page: str) -> None:
    """Three pages showing the same cost the store one look."""
    store = CountingStore()
    async with running(store) as (_, client, _stop), AsyncExitStack() as opened:
        url = f"/api/v1/{page}/stream?every_s=300"
        streams = []
        for _ in range(3):
            response = await opened.enter_async_context(client.stream("GET", url))
            streams.append(Events(response))
            await streams[-1].next(page)
        assert store.looks == 1


async def test_a_failed_look_does_not_end_the_stream() -> None:
    """A store that is down is an error event; the stream goes on. A bad query is refused first."""
    store = FaultyStore(MemoryStore())
    async with running(store) as (_, client, _stop):
        store.down = True
        url = "/api/v1/overview/stream?every_s=1"
        async with client.stream("GET", url) as response:
            events = Events(response)
            for _ in range(2):
                _, body = await events.next("error")
                assert body["error"]["code"] == "store_unavailable"
        assert_error(await client.get(f"{url}&query=("), 400, "bad_query")
        store.down = False


async def test_a_panel_of_the_overview_fails_alone() -> None:
    """What one query cannot answer comes as that panel's error, beside the others' answers; it
    is there again with the next look."""
    store = FaultyStore(MemoryStore())
    async with running(store) as (services, client, _stop):
        await services.store.insert(batch_of([record(services, "new")]), group=1)
        store.failing = {"search"}
        url = "/api/v1/overview/stream?every_s=1"
        async with client.stream("GET", url) as response:
            events = Events(response)
            _, told = await events.next("overview")
            assert told["newest_errors"] is None
            assert told["failed"].keys() == {"newest_errors"}
            error = told["failed"]["newest_errors"]
            assert error["code"] == "store_unavailable"
            assert error["request_id"] == response.headers["x-request-id"]
            assert told["volume"]["total"] == 1
            assert told["noisiest_services"] == []
            store.failing = set()
            _, told = await events.next("overview")
            assert told["newest_errors"] == []
            assert told["failed"] == {}


class SlowStore(MemoryStore):
    """A store whose searches take for ever, and which notes how they ended."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def search(
        self,
        where: Filter,
        between: TimeRange,
        *,
        limit: int,
        cursor: Cursor | None = None,
        count: bool = True,
        limits: QueryLimits = NO_LIMITS,
    ) -> SearchPage:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError("unreachable")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_stops_when_its_client_goes(method: str) -> None:
    """The task awaiting the store is cancelled as soon as the client has disconnected."""
    store = SlowStore()
    async with running(store) as (_, client, _stop):
        body = b"{}" if method == "POST" else None
        request = asyncio.create_task(client.request(method, "/api/v1/search", content=body))
        await asyncio.wait_for(store.started.wait(), 10)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        await asyncio.wait_for(store.cancelled.wait(), 10)


async def test_a_query_that_outlives_the_shutdown_time_is_stopped() -> None:
    """Stopping waits for requests only so long, then answers 503 and stops their queries."""
    store = SlowStore()
    async with running(store) as (_, client, stop):
        request = asyncio.create_task(client.get("/api/v1/search"))
        await asyncio.wait_for(store.started.wait(), 10)
        stop.set()
        assert_error(await request, 503, "unavailable", "stopping")
        assert store.cancelled.is_set()


class EndlessStore(MemoryStore):
    """A store with more to export than anybody could hold."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.batches = batches
        self.given = 0
        self.closed = asyncio.Event()

    async def export(
        self, where: Filter, between: TimeRange, *, limits: QueryLimits = NO_LIMITS
    ) -> AsyncIterator[pa.RecordBatch]:
        batch = batch_of([Record(timestamp_ns=1, message="x" * 1_000)] * 500)
        try:
            while self.given < self.batches:
                self.given += 1
                yield batch
            raise StoreUnavailable("gone half-way")
        finally:
            self.closed.set()


async def test_exports_stream_and_stop_with_the_client() -> None:
    """An export is sent as it is read, no faster than it is taken, and ends with its client."""
    store = EndlessStore(batches=1_000_000)
    async with running(store) as (_, client, _stop):
        async with client.stream("GET", "/api/v1/export") as response:
            async for _ in response.aiter_lines():
                break
        await asyncio.wait_for(store.closed.wait(), 10)
        assert store.given < 1_000


async def test_an_export_that_fails_does_not_look_whole() -> None:
    """A failure half-way cuts the connection, so that the client sees the file is not whole."""
    async with running(EndlessStore(batches=3)) as (_, client, _stop):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/api/v1/export")


async def test_an_export_that_fails_at_once_has_a_status() -> None:
    """A failure before the first row is an error answer like any other."""
    async with running(EndlessStore(batches=0)) as (_, client, _stop):
        assert_error(await client.get("/api/v1/export"), 503, "store_unavailable")


async def test_a_port_that_is_taken_is_refused() -> None:
    """Two dashboards never share a port in silence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(dashboard_port=taken.getsockname()[1])
        async with make_services(settings=settings) as services:
            with pytest.raises(SettingError, match="cannot listen"):
                await serve(services, asyncio.Event())


async def test_an_open_door_is_refused() -> None:
    """Listening beyond loopback needs access keys, or insecure said out loud."""
    settings = Settings(dashboard_host="0.0.0.0", dashboard_port=0)
    async with make_services(settings=settings) as services:
        with pytest.raises(SettingError, match="others can reach"):
            await serve(services, asyncio.Event())
