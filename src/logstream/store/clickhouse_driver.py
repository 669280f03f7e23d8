"""The one place that touches the ClickHouse driver: connections, a bounded pool, errors.

The same code talks to chDB (ClickHouse's engine inside this process) and to a ClickHouse server;
only how a connection is opened differs.

Facts this file is built around:

* a connection runs one statement at a time; many connections run at once;
* chDB: after a statement failed, the next one on the same connection may first return rows of
  the failed one. So a connection that saw any error is closed and never used again;
* chDB: one data folder a process, one process a data folder; the first connection opens the
  engine with its options, closing the last one shuts it down;
* a statement is stopped by ``KILL QUERY`` from another connection. Each carries a tag of its own
  in ``log_comment`` to be found by, and is killed again until its thread has come back, because
  the first try may come before the engine has heard of it.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import clickhouse_connect
import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from logstream.errors import LogStreamError, RecordsRejected, StoreUnavailable
from logstream.store.clickhouse_errors import MapError, read_error

__all__ = ["Answer", "Engine", "Handle", "Lane", "OpenClient", "chdb_client"]

T = TypeVar("T")
OpenClient = Callable[[], Client]
Lane = str
"""Which jobs wait for each other: each lane has its own number of connections."""

_KILL_INTERVAL_S = 0.05

# What the engine may keep in memory between queries. Its defaults are for a machine of its own.
_CHDB_OPTIONS = {
    "mark_cache_size": 64 << 20,
    "primary_index_cache_size": 64 << 20,
    "index_mark_cache_size": 32 << 20,
    "query_condition_cache_size": 16 << 20,
    "uncompressed_cache_size": 0,
    "compiled_expression_cache_size": 16 << 20,
    "max_thread_pool_free_size": 4,
    "max_io_thread_pool_free_size": 0,
}


class Answer(msgspec.Struct, frozen=True):
    """Rows of one statement, how many rows the engine read for them, and how long it ran."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    scanned: int
    elapsed_ms: float


class Handle:
    """One connection during one job. Its methods block; any exception ends the connection."""

    def __init__(self, client: Client, tag: str) -> None:
        self._client = client
        self._tag = tag

    def rows(
        self, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, int | str]
    ) -> Answer:
        """Run a SELECT; ``parameters`` are bound by the engine as ``{name:Type}``."""
        result = self._client.query(self._with(sql, settings), parameters=dict(parameters))
        summary: Mapping[str, Any] = result.summary or {}
        return Answer(
            tuple(result.column_names),
            result.result_rows,
            int(summary.get("read_rows", 0)),
            int(summary.get("elapsed_ns", 0)) / 1e6,
        )

    def arrow(
        self, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, int | str]
    ) -> pa.Table:
        """Like `rows`, as an Arrow table."""
        settings = {**settings, "output_format_arrow_string_as_string": 1}
        raw = self._client.raw_query(
            self._with(sql, settings), parameters=dict(parameters), fmt="Arrow"
        )
        if not raw:
            return None
        with pa.ipc.open_file(pa.py_buffer(raw)) as reader:
            return reader.read_all()

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that answers nothing."""
        self._client.command(sql, parameters=dict(parameters or {}))

    def insert(self, table: str, batch: pa.RecordBatch, settings: Mapping[str, int | str]) -> None:
        """Insert the batch as one block."""
        whole = pa.Table.from_batches([batch])
        if self._client.server_host_name is None and hasattr(os, "memfd_create"):
            self._insert_in_process(table, whole, settings)
        else:
            self._client.insert_arrow(table, whole, settings={"log_comment": self._tag, **settings})

    def _insert_in_process(
        self, table: str, whole: pa.Table, settings: Mapping[str, int | str]
    ) -> None:
        # The engine reads the block from memory: one copy less than the driver's temporary file,
        # and nothing is left on the disk when the process is killed.
        fd = os.memfd_create("logstream-insert")
        try:
            path = f"/proc/self/fd/{fd}"
            with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, whole.schema) as writer:
                writer.write_table(whole)
            columns = ", ".join(f"`{name}`" for name in whole.schema.names)
            sql = f"INSERT INTO {table} ({columns}) FROM INFILE '{path}'"
            self._client.command(f"{self._with(sql, settings)} FORMAT Arrow")
        finally:
            os.close(fd)

    def _with(self, sql: str, settings: Mapping[str, int | str]) -> str:
        every = {"log_comment": self._tag, **settings}
        pairs = (f"{name} = {value if isinstance(value, int) else _quoted(value)}"
                 for name, value in every.items())  # fmt: skip
        return f"{sql}\nSETTINGS {', '.join(pairs)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Engine:
    """Runs blocking jobs on connections in threads: so many at a time, each one stoppable.

    Args:
        open_client: Opens one connection; blocking.
        lanes: How many jobs of each lane run at once; more wait their turn.
    """

    def __init__(self, open_client: OpenClient, lanes: Mapping[Lane, int]) -> None:
        self._open_client = open_client
        self._lanes = {lane: asyncio.Semaphore(size) for lane, size in lanes.items()}
        self._threads = ThreadPoolExecutor(sum(lanes.values()), thread_name_prefix="store")
        self._control_thread = ThreadPoolExecutor(1, thread_name_prefix="store-control")
        self._control: Client | None = None
        self._idle: list[Client] = []
        self._tags = (f"logstream-{os.getpid()}-{id(self)}-{n}" for n in itertools.count())
        self._running: dict[str, asyncio.Future[Any]] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        """Open the first connection, kept for stopping the others.

        Raises:
            StoreUnavailable: it cannot be opened.
        """
        loop = asyncio.get_running_loop()
        self._control = await loop.run_in_executor(self._control_thread, self._connect)

    async def run(
        self, lane: Lane, job: Callable[[Handle], T], *, map_error: MapError = read_error
    ) -> T:
        """Run a job on a connection of its own and answer what it returns.

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
            self._threads, self._work, job, tag, map_error
        )
        self._running[tag] = future
        future.add_done_callback(lambda _: self._finished(lane, tag))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            self._stop_soon(tag, future)
            raise

    async def close(self) -> None:
        """Stop what runs, wait for it, close every connection. Idempotent."""
        self._closed = True
        for tag, future in self._running.items():
            self._stop_soon(tag, future)
        while self._stopping:
            await asyncio.wait(self._stopping)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._threads.shutdown)
        if self._control is not None:
            clients, self._control = [*self._idle, self._control], None
            self._idle.clear()
            await loop.run_in_executor(None, lambda: [client.close() for client in clients])
        self._control_thread.shutdown(wait=False)

    def _finished(self, lane: Lane, tag: str) -> None:
        self._lanes[lane].release()
        future = self._running.pop(tag)
        if not future.cancelled():
            future.exception()  # seen, though nobody may be waiting any more

    def _stop_soon(self, tag: str, future: asyncio.Future[Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._stop(tag, future))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _stop(self, tag: str, future: asyncio.Future[Any]) -> None:
        loop = asyncio.get_running_loop()
        while not future.done():
            await loop.run_in_executor(self._control_thread, self._kill, tag)
            await asyncio.wait([future], timeout=_KILL_INTERVAL_S)

    # In threads from here on

    def _work(self, job: Callable[[Handle], T], tag: str, map_error: MapError) -> T:
        try:
            client = self._idle.pop()
        except IndexError:
            client = self._connect()
        try:
            answer = job(Handle(client, tag))
        except BaseException as exc:
            client.close()
            raise _mapped(exc, map_error) from exc
        self._idle.append(client)
        return answer

    def _kill(self, tag: str) -> None:
        if self._control is None:
            self._control = self._connect()
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


def _mapped(exc: BaseException, map_error: MapError) -> BaseException:
    if isinstance(exc, LogStreamError):
        return exc
    if isinstance(exc, ClickHouseError):
        return map_error(getattr(exc, "code", None), str(exc))
    if isinstance(exc, pa.ArrowException):
        return RecordsRejected(f"the store does not take these records: {exc}")
    if isinstance(exc, OSError):
        return StoreUnavailable(f"the store cannot be used: {exc}")
    return exc


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
