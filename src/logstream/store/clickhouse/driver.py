"""Connections of the ClickHouse driver: a bounded pool, stopping what runs, errors.

The same code talks to chDB (ClickHouse's engine inside this process) and to a ClickHouse server;
only how a connection is opened differs.

Facts this file is built around:

* a connection runs one statement at a time; many connections run at once;
* chDB: after a statement failed, the next one on the same connection may first return rows of
  the failed one. So a connection that saw any error is closed and never used again;
* a server keeps nothing of a failed statement; its connections end when it does not answer, and
  then all of them, for the next may be to another server (`server`);
* the driver sends an insert again by itself when the connection was lost, but not one whose body
  it cannot replay. It must not: only `insert` knows how to do so safely;
* chDB: one data folder a process, one process a data folder; the first connection opens the
  engine with its options, closing the last one shuts it down;
* a statement is stopped by ``KILL QUERY`` from another connection. Each carries a tag of its own
  in ``log_comment`` to be found by, and is killed again, less and less often, until its thread has
  come back, because the first try may come before the engine has heard of it. Closing does not wait
  for ever: a server that hears nothing keeps a thread until its connection has timed out.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import logging
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import BadStatusLine, RemoteDisconnected
from pathlib import Path
from typing import Any, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3.exceptions import HTTPError

from logstream.errors import LogStreamError, RecordsRejected, StoreUnavailable
from logstream.store.clickhouse.errors import MapError, read_error
from logstream.store.clickhouse.handle import Answer, Handle

__all__ = ["Answer", "Engine", "Handle", "Lane", "OpenClient", "chdb_client"]

T = TypeVar("T")
OpenClient = Callable[[], Client]
Lane = str
"""Which jobs wait for each other: each lane has its own number of connections."""

_KILL_INTERVAL_S, _MAX_KILL_INTERVAL_S = 0.05, 1.0
_STOP_TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)
_INSERTS: Lane = "insert"
"""The lane whose jobs are never run again by themselves."""

# What the engine may keep in memory between queries. Its defaults are for a machine of its own.
_CHDB_OPTIONS = {
    "mark_cache_size": 64 << 20,
    "primary_index_cache_size": 64 << 20,
    "index_mark_cache_size": 32 << 20,
    # Skip indexes of some 10 M records: one trace id among them is found in 23 ms instead of 32.
    "index_uncompressed_cache_size": 64 << 20,
    "query_condition_cache_size": 16 << 20,
    "uncompressed_cache_size": 0,
    "compiled_expression_cache_size": 16 << 20,
    "max_thread_pool_free_size": 4,
    "max_io_thread_pool_free_size": 0,
}


class Engine:
    """Runs blocking jobs on connections in threads: so many at a time, each one stoppable.

    Args:
        open_client: Opens one connection; blocking.
        lanes: How many jobs of each lane run at once; more wait their turn.
        stop_timeout_s: How long `close` waits for what runs; what has not ended then, because
            nobody hears that it should, is left to itself.
    """

    def __init__(
        self,
        open_client: OpenClient,
        lanes: Mapping[Lane, int],
        *,
        stop_timeout_s: float = _STOP_TIMEOUT_S,
    ) -> None:
        self._open_client = open_client
        self._stop_timeout_s = stop_timeout_s
        self._lanes = {lane: asyncio.Semaphore(size) for lane, size in lanes.items()}
        self._threads = ThreadPoolExecutor(sum(lanes.values()), thread_name_prefix="store")
        self._control_thread = ThreadPoolExecutor(1, thread_name_prefix="store-control")
        self._control: Client | None = None
        self._control_astray = False
        self._idle: list[Client] = []
        self._tags = (f"logstream-{os.getpid()}-{id(self)}-{n}" for n in itertools.count())
        self._running: dict[str, asyncio.Future[Any]] = {}
        self._names: dict[str, str] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        """Open the first connection, kept for stopping the others; again does no harm.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        loop = asyncio.get_running_loop()
        if self._control is None:
            self._control = await loop.run_in_executor(self._control_thread, self._connect)

    async def run(
        self,
        lane: Lane,
        job: Callable[[Handle], T],
        *,
        map_error: MapError = read_error,
        name: str = "",
    ) -> T:
        """Run a job on a connection of its own and answer what it returns.

        ``name``: what `running` knows it by; several jobs may share one.

        When the caller is cancelled, so is the statement in the engine; the job's place in its
        lane is free again when the engine has let go of it.

        Raises:
            LogStreamError: as ``map_error`` makes it of the engine's code and message.
        """
        await self._lanes[lane].acquire()
        if self._closed:
            self._lanes[lane].release()
            raise StoreUnavailable("the store is closed")
        tag = next(self._tags)
        future = asyncio.get_running_loop().run_in_executor(
            self._threads, self._work, lane, job, tag, map_error
        )
        self._running[tag] = future
        self._names[tag] = name
        future.add_done_callback(lambda _: self._finished(lane, tag))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._stop_soon(tag, future)
            raise

    def running(self, name: str) -> list[str]:
        """Tags of the jobs of this name that run: what their statements have in ``log_comment``."""
        return [tag for tag, given in self._names.items() if given == name]

    async def close(self) -> None:
        """Stop what runs, wait for it a while, close every connection. Idempotent."""
        self._closed = True
        for tag, future in self._running.items():
            self._stop_soon(tag, future)
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=self._stop_timeout_s)
        deaf = [*self._stopping]
        for task in deaf:
            task.cancel()
        await asyncio.gather(*deaf, return_exceptions=True)
        loop = asyncio.get_running_loop()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._control_thread.shutdown(wait=False, cancel_futures=True)
        if self._running:
            _log.warning(
                "%d statements did not end within %g s of being stopped: left to themselves",
                len(self._running),
                self._stop_timeout_s,
            )
        else:
            await loop.run_in_executor(None, self._threads.shutdown)
        if self._control is not None:
            clients, self._control = [*self._idle, self._control], None
            self._idle.clear()
            await loop.run_in_executor(None, lambda: [client.close() for client in clients])

    def _finished(self, lane: Lane, tag: str) -> None:
        self._lanes[lane].release()
        future = self._running.pop(tag)
        del self._names[tag]
        if not future.cancelled():
            future.exception()  # seen, though nobody may be waiting any more

    def _stop_soon(self, tag: str, future: asyncio.Future[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._stop(tag, future))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop(self, tag: str, future: asyncio.Future[Any]) -> None:
        loop = asyncio.get_running_loop()
        pause_s = _KILL_INTERVAL_S
        while not future.done():
            await loop.run_in_executor(self._control_thread, self._kill, tag)
            await asyncio.wait([future], timeout=pause_s)
            pause_s = min(pause_s * 2, _MAX_KILL_INTERVAL_S)

    # In threads from here on

    def _work(self, lane: Lane, job: Callable[[Handle], T], tag: str, map_error: MapError) -> T:
        try:
            client, used_before = self._idle.pop(), True
        except IndexError:
            client, used_before = self._connect(), False
        try:
            answer = job(Handle(client, tag))
        except BaseException as exc:
            self._after_failure(client, exc)
            # The server may just have been restarted, or another one may answer.
            if not used_before or lane == _INSERTS or not _is_lost(client, exc):
                raise _mapped(exc, map_error) from exc
        else:
            self._idle.append(client)
            return answer
        return self._work(lane, job, tag, map_error)

    def _after_failure(self, client: Client, exc: BaseException) -> None:
        if _is_whole(client, exc):
            self._idle.append(client)
            return
        client.close()
        if isinstance(client, HttpClient):
            self._close_idle()

    def _close_idle(self) -> None:
        # What is to be stopped from now on may run on another server than before.
        self._control_astray = True
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # another thread took the last one
                return

    def _kill(self, tag: str) -> None:
        try:
            if self._control is not None and self._control_astray:
                self._control.close()
                self._control = None
            if self._control is None:
                self._control, self._control_astray = self._connect(), False
        except LogStreamError:
            return  # tried again until what was to be stopped has ended
        try:
            self._control.command(
                "KILL QUERY WHERE Settings['log_comment'] = {tag:String} ASYNC",
                parameters={"tag": tag},
            )
        except ClickHouseError:
            self._control.close()
            self._control = None

    def _connect(self) -> Client:
        with _mapping(read_error):
            return self._open_client()


def _is_whole(client: Client, exc: BaseException) -> bool:
    """Whether a connection can be used on: a server said what it had to say and that was it."""
    said = getattr(exc, "code", None) is not None or isinstance(exc, LogStreamError)
    return isinstance(client, HttpClient) and said


def _is_lost(client: Client, exc: BaseException) -> bool:
    """Whether the server did not answer, or something before it did."""
    over_http = isinstance(client, HttpClient) and isinstance(exc, ClickHouseError)
    return over_http and not _is_whole(client, exc)


def _mapped(exc: BaseException, map_error: MapError) -> BaseException:
    if isinstance(exc, LogStreamError):
        return exc
    if isinstance(exc, ClickHouseError):
        if _speaks_otherwise(exc):
            return StoreUnavailable(
                f"no ClickHouse speaks HTTP there: {_message(exc)}",
                hint="see whether the store URL has the right port and clickhouse:// or, for TLS, "
                "clickhouses://",
                lasting=True,
            )
        return map_error(getattr(exc, "code", None), _message(exc))
    if isinstance(exc, pa.ArrowException):
        return RecordsRejected(f"the store does not take these records: {exc}")
    if isinstance(exc, OSError):
        return StoreUnavailable(f"the store cannot be used: {exc}")
    return exc


def _speaks_otherwise(exc: BaseException | None) -> bool:
    """Whether the two ends do not agree on TLS or HTTP, or on whom to believe."""
    while exc is not None:
        if isinstance(exc, (ssl.SSLEOFError, RemoteDisconnected)):
            return False  # it may have been on its way out
        if isinstance(exc, (ssl.SSLError, BadStatusLine)):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def _message(exc: ClickHouseError) -> str:
    """The engine's message, or what became of the connection without the request's URL, in
    which there are values that users asked for."""
    cause: Any = exc.__cause__
    if not isinstance(cause, HTTPError):
        return str(exc)
    reason = getattr(cause, "reason", None) or cause
    return re.sub(r"^.*?<[^>]*>: |^.*?Connection\([^)]*\): ", "", str(reason))


@contextmanager
def _mapping(map_error: MapError) -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        raise _mapped(exc, map_error) from exc


def chdb_client(folder: Path, *, memory_bytes: int) -> OpenClient:
    """How to open chDB on a folder: at most ``memory_bytes`` for all it does (0: no limit).

    The returned function raises `StoreUnavailable` when another process has the folder.
    """

    def connect() -> Client:
        folder.mkdir(parents=True, exist_ok=True)
        options = {**_CHDB_OPTIONS, "max_server_memory_usage": memory_bytes}
        try:
            client = clickhouse_connect.get_client(
                interface="chdb", path=str(folder), chdb_options=options
            )
        except ClickHouseError as exc:
            raise _cannot_open(folder, exc) from exc
        # The driver reports the rows of the answer as the rows read; a test watches this.
        backend: Any = getattr(client, "_backend")  # noqa: B009 - the driver has no way in
        backend._summary = _chdb_summary  # noqa: SLF001
        return client

    return connect


def _chdb_summary(result: Any) -> dict[str, str]:
    return {
        "read_rows": str(result.storage_rows_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }


def _cannot_open(folder: Path, exc: Exception) -> StoreUnavailable:
    owner = _owner(folder)
    if owner is not None:
        return StoreUnavailable(
            f"the store in {folder} is in use by another process{owner}",
            hint="one process a store folder: stop the other one, or give this one its own folder",
        )
    return StoreUnavailable(f"the store in {folder} cannot be opened: {exc}")


def _owner(folder: Path) -> str | None:
    """Who holds the engine's lock, as ``" (pid 7)"`` or ``""``; ``None`` when nobody does."""
    try:
        with (folder / "status").open("r+") as status:
            try:
                fcntl.flock(status, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pid = re.search(r"PID: (\d+)", status.read())
                return f" (pid {pid[1]})" if pid else ""
    except OSError:
        return None
    return None
