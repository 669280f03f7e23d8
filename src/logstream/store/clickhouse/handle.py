"""One statement at a time on one connection, in this process or over HTTP."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.httpclient import HttpClient

__all__ = ["Answer", "Handle"]

# What an older server does not know and can do without: plans differ then, answers do not.
_OPTIONAL_SETTINGS = frozenset({
    "allow_reorder_prewhere_conditions",
    "max_threads_min_free_memory_per_thread",
    "read_in_order_use_buffering",
    "use_skip_indexes_on_data_read",
})  # fmt: skip


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

    @property
    def on_server(self) -> bool:
        """Whether statements run in another process, and may go on when this one ends."""
        return isinstance(self._client, HttpClient)

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

    def command(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        settings: Mapping[str, int | str] | None = None,
    ) -> None:
        """Run a statement that answers nothing of interest."""
        self._client.command(sql, parameters=dict(parameters or {}), settings=dict(settings or {}))

    def insert(self, table: str, batch: pa.RecordBatch, settings: Mapping[str, int | str]) -> None:
        """Insert the batch as one block."""
        whole = pa.Table.from_batches([batch])
        if isinstance(self._client, HttpClient):
            self._insert_over_http(self._client, table, whole, settings)
        elif hasattr(os, "memfd_create"):
            self._insert_in_process(table, whole, settings)
        else:
            self._client.insert_arrow(table, whole, settings={"log_comment": self._tag, **settings})

    def _insert_over_http(
        self, client: HttpClient, table: str, whole: pa.Table, settings: Mapping[str, int | str]
    ) -> None:
        # Arrow compresses each buffer by itself, and the engine reads that: no other coding.
        compression = client.write_compression
        options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, whole.schema, options=options) as writer:
            writer.write_table(whole)
        # A view, not bytes: what the driver takes for bytes it sends again when it sees fit.
        body: Any = memoryview(sink.getvalue())
        client.raw_insert(
            table,
            whole.schema.names,
            insert_block=body,
            settings={"log_comment": self._tag, **settings},
            fmt="Arrow",
        )

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
        for name in _OPTIONAL_SETTINGS.difference(self._client.server_settings):
            every.pop(name, None)
        pairs = (f"{name} = {value if isinstance(value, int) else _quoted(value)}"
                 for name, value in every.items())  # fmt: skip
        return f"{sql}\nSETTINGS {', '.join(pairs)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
