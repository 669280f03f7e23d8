"""ClickHouse's own engine in this process, with a table of the store's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import clickhouse_connect
import pyarrow as pa

from logstream.query.to_clickhouse import Params
from logstream.record import Record, batch_of

# Granules of two rows make the skip indexes decide in tests what they decide in real tables.
_TABLE = """
CREATE TABLE query_test.logs (
    Timestamp DateTime64(9, 'UTC'), TraceId String, SpanId String, TraceFlags UInt8,
    SeverityText LowCardinality(String), SeverityNumber UInt8,
    ServiceName LowCardinality(String), Body String,
    ResourceSchemaUrl String, ResourceAttributes Map(LowCardinality(String), String),
    ScopeSchemaUrl String, ScopeName String, ScopeVersion String,
    ScopeAttributes Map(LowCardinality(String), String),
    LogAttributes Map(LowCardinality(String), String), EventName String,
    RowNumber UInt32,
    INDEX body lower(Body) TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1,
    INDEX trace_id TraceId TYPE bloom_filter GRANULARITY 1,
    INDEX service ServiceName TYPE set(100) GRANULARITY 1,
    INDEX resource_key mapKeys(ResourceAttributes) TYPE bloom_filter GRANULARITY 1,
    INDEX resource_value mapValues(ResourceAttributes) TYPE bloom_filter GRANULARITY 1,
    INDEX log_key mapKeys(LogAttributes) TYPE bloom_filter GRANULARITY 1,
    INDEX log_value mapValues(LogAttributes) TYPE bloom_filter GRANULARITY 1
) ENGINE = MergeTree ORDER BY Timestamp SETTINGS index_granularity = 2
"""


class Engine:
    """One table of records; `fill` replaces them."""

    table = "query_test.logs"

    def __init__(self, path: str) -> None:
        self._client = clickhouse_connect.get_client(interface="chdb", path=path)
        self._client.command("CREATE DATABASE query_test ENGINE = Atomic")
        self._client.command(_TABLE)

    def fill(self, records: Sequence[Record]) -> None:
        """Make these, numbered from 0, the table's only records."""
        self._client.command(f"TRUNCATE TABLE {self.table}")
        if not records:
            return
        table = pa.Table.from_batches([batch_of(records)])
        numbers = pa.array(range(len(records)), pa.uint32())
        self._client.insert_arrow(self.table, table.append_column("RowNumber", numbers))

    def rows(self, sql: str, params: Params) -> list[tuple[Any, ...]]:
        """A statement's rows."""
        result = self._client.query(sql, parameters=params.values)
        return [tuple(row) for row in result.result_rows]

    def matching(self, where: str, params: Params) -> list[int]:
        """The numbers of the records that a condition selects, in order."""
        sql = f"SELECT RowNumber FROM {self.table} WHERE {where} ORDER BY RowNumber"
        return [number for (number,) in self.rows(sql, params)]

    def close(self) -> None:
        """Let go of the folder."""
        self._client.close()
