"""The shapes that several answers share: a record, a cell of a table, what a query cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from logstream.record import MESSAGE_BYTES, Record
from logstream.store.base import QueryStats, StoredRecord
from logstream.timestamps import format_timestamp

__all__ = [
    "Cell",
    "RecordAnswer",
    "RecordBody",
    "StatsAnswer",
    "record_answer",
    "record_body",
    "record_members",
    "row_answer",
    "stats_answer",
]

Cell: TypeAlias = str | int | float | None
"""One value of a table. Whole numbers beyond 2**53 are strings, as JavaScript would round them."""

_SAFE_INTEGER = 2**53

_ALWAYS = (
    "level", "severity_number", "service", "message", "trace_id", "span_id", "attributes",
    "resource",
)  # fmt: skip
_RARE = (
    "trace_flags", "event_name", "resource_schema_url", "scope_name", "scope_version",
    "scope_schema_url", "scope_attributes",
)  # fmt: skip


class RecordBody(msgspec.Struct, kw_only=True):
    """One record without an id: exported, or not in the store yet.

    ``timestamp`` (RFC 3339, UTC, to the nanosecond) is a string, so that no JavaScript number
    loses digits. Rare members are left out when they are empty. ``truncated``: the message was
    cut by this request's ``truncate``; ``message_bytes`` is its length before that.
    """

    timestamp: str
    level: str
    severity_number: int
    service: str
    message: str
    trace_id: str
    span_id: str
    attributes: Mapping[str, str]
    resource: Mapping[str, str]
    trace_flags: int | UnsetType = UNSET
    event_name: str | UnsetType = UNSET
    resource_schema_url: str | UnsetType = UNSET
    scope_name: str | UnsetType = UNSET
    scope_version: str | UnsetType = UNSET
    scope_schema_url: str | UnsetType = UNSET
    scope_attributes: Mapping[str, str] | UnsetType = UNSET
    truncated: bool | UnsetType = UNSET
    message_bytes: int | UnsetType = UNSET


class RecordAnswer(RecordBody, kw_only=True):
    """One record of the store; ``id`` is unique, stable and a string for JavaScript's sake."""

    id: str


class StatsAnswer(msgspec.Struct):
    """``matched``: all records in range that match, null when not counted; ``scanned``: rows read
    to find out; ``elapsed_ms``: the store's own time."""

    matched: int | None
    scanned: int
    elapsed_ms: float


def record_answer(stored: StoredRecord, *, truncate: int = 0) -> RecordAnswer:
    """The record as JSON shows it, its message cut to ``truncate`` characters (0: whole)."""
    return RecordAnswer(id=str(stored.id), **record_members(stored.record, truncate))


def record_body(record: Record, *, truncate: int = 0) -> RecordBody:
    """The same of a record that has no id."""
    return RecordBody(**record_members(record, truncate))


def record_members(record: Record, truncate: int) -> dict[str, Any]:
    """The members of a `RecordBody`."""
    members: dict[str, Any] = {
        "timestamp": format_timestamp(record.timestamp_ns),
        **{name: getattr(record, name) for name in _ALWAYS},
        **{name: value for name in _RARE if (value := getattr(record, name))},
    }
    message = record.message
    if truncate and len(message) > truncate:
        whole = record.attributes.get(MESSAGE_BYTES, "")
        members["message"] = message[:truncate]
        members["truncated"] = True
        members["message_bytes"] = int(whole) if whole.isdecimal() else len(message.encode())
    return members


def row_answer(columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Cell]:
    """One row of a table by column name."""
    return {name: _cell(value) for name, value in zip(columns, row, strict=True)}


def _cell(value: Any) -> Cell:
    if isinstance(value, int) and abs(value) > _SAFE_INTEGER:
        return str(value)
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def stats_answer(stats: QueryStats) -> StatsAnswer:
    """What the query cost."""
    return StatsAnswer(stats.matched, stats.scanned, round(stats.elapsed_ms, 3))
