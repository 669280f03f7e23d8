"""The careful path: one decoded JSON value → one row, or the reason why not.

It is the truth that the fast path is tested against: `columns.build` of these rows and
`shapes` must give the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from logstream.record import MESSAGE_BYTES, TIMESTAMP_SOURCE
from logstream.severity import severity_of, severity_of_text
from logstream.timestamps import epoch_ns, format_timestamp, parse_timestamp
from logstream.wire.fields import FIELD_OF_KEY, MESSAGE_KEYS, OBJECTS
from logstream.wire.flatten import Digits, TooDeep, add, check_depth, flatten, json_text, text_of
from logstream.wire.limits import Code, WireLimits

__all__ = ["Refused", "Row", "level_number", "row_of", "timestamp_of"]

_NONE: Mapping[str, str] = MappingProxyType({})
_SHOWN = 80


class Refused(Exception):
    """This record cannot be kept; the others can."""

    def __init__(self, reason: str, code: Code) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: Code = code


class Row(msgspec.Struct, gc=False):
    """One accepted record. Attribute mappings are in key order and within the limits."""

    timestamp_ns: int
    message: str
    severity_number: int
    service: str
    trace_id: str
    span_id: str
    attributes: Mapping[str, str]
    trace_flags: int = 0
    event_name: str = ""
    resource: Mapping[str, str] = _NONE
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: Mapping[str, str] = _NONE


def timestamp_of(value: Any) -> int | None:
    """Nanoseconds of a timestamp as decoded: text, integer, or digits. ``None``: not a time."""
    return epoch_ns(value) if type(value) is int else parse_timestamp(value)


def level_number(value: Any) -> int | None:
    """Severity number of a level as decoded; ``None``: not known here. Empty is not given."""
    if type(value) is int:
        return severity_of(value)
    return severity_of_text(value) if value else 0


def row_of(value: Any, limits: WireLimits, window_ns: tuple[int, int], now_ns: int) -> Row:
    """The row of one decoded JSON value.

    Raises:
        Refused: not an object, empty, outside the limits or the window.
    """
    if type(value) is not dict:
        raise Refused(f"a record is a JSON object, this is {_kind(value)}", "not_an_object")
    try:
        fields, rest, parts = _sort_keys(value, limits.max_depth)
    except TooDeep:
        raise Refused(f"nested deeper than {limits.max_depth} levels", "too_deep") from None
    attributes: dict[str, str] = {}
    resource, scope = parts
    timestamp_ns = now_ns
    if (sent := fields.get("timestamp")) is None:
        attributes[TIMESTAMP_SOURCE] = "received"
    else:
        timestamp_ns = _timestamp(sent, window_ns)
    message = text_of(fields.get("message", ""))
    if message == "" and not (rest or resource or scope or _said(fields)):
        raise Refused("the record is empty", "empty")
    if len(message) * 4 > limits.max_message_bytes:
        message = _cut(message, limits.max_message_bytes, attributes)
    severity_number = _severity(fields, attributes)
    trace_flags = _trace_flags(fields, attributes)
    for key, leaf in rest:
        add(attributes, key, text_of(leaf))
    scope_name, scope_version, scope_attributes = _scope(scope)
    kept = _within(attributes, limits)
    return Row(
        timestamp_ns=timestamp_ns,
        message=message,
        severity_number=severity_number,
        service=text_of(fields.get("service", resource.get("service.name", ""))),
        trace_id=text_of(fields.get("trace_id", "")),
        span_id=text_of(fields.get("span_id", "")),
        attributes=kept,
        trace_flags=trace_flags,
        event_name=text_of(fields.get("event_name", "")),
        resource=_within(resource, limits),
        scope_name=scope_name,
        scope_version=scope_version,
        scope_attributes=_within(scope_attributes, limits),
    )


_Leaves = list[tuple[str, Any]]
_Parts = tuple[dict[str, str], dict[str, str]]


def _sort_keys(value: dict[str, Any], max_depth: int) -> tuple[dict[str, Any], _Leaves, _Parts]:
    """Split an object into fields, attribute leaves in the order sent, and resource and scope."""
    sorted_keys = _Sorted()
    parts: _Parts = ({}, {})
    for key, item in value.items():
        if key in OBJECTS and (type(item) is dict or item is None):
            if key != "attributes":
                _part(parts[key == "scope"], item or {}, max_depth - 1)
            elif item:
                sorted_keys.rest.extend(_leaves(item, max_depth - 1))
        elif key in MESSAGE_KEYS:
            check_depth(item, max_depth - 1)
            sorted_keys.add(key, item, whole=True)
        elif type(item) is dict or type(item) is list:
            for path, leaf in flatten(key, item, max_depth - 1):
                sorted_keys.add(path, leaf, whole=False)
        else:
            sorted_keys.add(key, item, whole=False)
    rest = [leaf for leaf in sorted_keys.rest if leaf is not None]
    return sorted_keys.fields, rest, parts


def _leaves(item: dict[str, Any], depth: int) -> Iterable[tuple[str, Any]]:
    """Like `flatten`, quicker for the usual object that nests nothing."""
    if depth <= 0 or not {dict, list}.isdisjoint(map(type, item.values())):
        return flatten("", item, depth)
    return item.items()


class _Sorted:
    """Leaves that are a field's, and the rest in the order sent."""

    __slots__ = ("_taken", "fields", "rest")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.rest: list[tuple[str, Any] | None] = []
        self._taken: dict[str, tuple[int, int]] = {}  # field -> rank of its key, place in `rest`

    def add(self, path: str, leaf: Any, *, whole: bool) -> None:
        known = FIELD_OF_KEY.get(path)
        if known is None:
            self.rest.append((path, leaf))
            return
        if leaf is None:
            return  # null says nothing, so a weaker key may say it
        field, rank = known
        taken = self._taken.get(field)
        if not _usable(leaf, whole=whole) or (taken is not None and taken[0] < rank):
            self.rest.append((path, leaf))
            return
        if taken is not None:  # the weaker key came first and becomes an attribute, in its place
            self.rest[taken[1]] = (_KEY_OF_RANK[field, taken[0]], self.fields[field])
        self.fields[field] = leaf
        self._taken[field] = (rank, len(self.rest))
        self.rest.append(None)


_KEY_OF_RANK = {place: key for key, place in FIELD_OF_KEY.items()}


def _usable(leaf: Any, *, whole: bool) -> bool:
    kind = type(leaf)
    return whole or kind is str or kind is int or kind is Digits


def _said(fields: dict[str, Any]) -> bool:
    return any(value != "" for field, value in fields.items() if field != "message")


def _part(into: dict[str, str], item: dict[str, Any], depth: int) -> None:
    inner = item.get("attributes")
    if isinstance(inner, dict):
        for path, leaf in flatten("", inner, depth - 1) if inner else ():
            add(into, path, text_of(leaf))
        item = {key: value for key, value in item.items() if key != "attributes"}
    for path, leaf in flatten("", item, depth) if item else ():
        add(into, path, text_of(leaf))


def _scope(scope: dict[str, str]) -> tuple[str, str, dict[str, str]]:
    return scope.pop("name", ""), scope.pop("version", ""), scope


def _timestamp(sent: Any, window_ns: tuple[int, int]) -> int:
    timestamp_ns = timestamp_of(sent)
    if timestamp_ns is None:
        raise Refused(f"{_show(sent)} is not a time this reads", "bad_timestamp")
    oldest_ns, newest_ns = window_ns
    if timestamp_ns < oldest_ns:
        at, limit = format_timestamp(timestamp_ns), format_timestamp(max(oldest_ns, 0))
        raise Refused(f"timestamp {at} is older than accepted (from {limit})", "too_old")
    if timestamp_ns > newest_ns:
        at, limit = format_timestamp(timestamp_ns), format_timestamp(newest_ns)
        raise Refused(f"timestamp {at} is further ahead than accepted (to {limit})", "too_new")
    return timestamp_ns


def _severity(fields: dict[str, Any], attributes: dict[str, str]) -> int:
    """The severity number; what it does not say of what was sent becomes attributes."""
    level, number = fields.get("level"), fields.get("severity_number")
    by_text = level_number(level) if level is not None else 0
    by_number = severity_of(number, otel=True) if type(number) is int else None
    if number is not None and (
        by_number is None or (by_text and (by_text - 1) // 4 != (by_number - 1) // 4)
    ):
        add(attributes, "severity_number", text_of(number))
        by_number = None
    if by_text is None:
        add(attributes, "level", text_of(level))
    return by_number or by_text or 0


def _trace_flags(fields: dict[str, Any], attributes: dict[str, str]) -> int:
    flags = fields.get("trace_flags", 0)
    if type(flags) is int and 0 <= flags <= 255:
        return flags
    add(attributes, "trace_flags", text_of(flags))
    return 0


def _cut(message: str, max_bytes: int, attributes: dict[str, str]) -> str:
    raw = message.encode()
    if len(raw) <= max_bytes:
        return message
    attributes[MESSAGE_BYTES] = str(len(raw))
    return raw[:max_bytes].decode(errors="ignore")


def _within(attributes: dict[str, str], limits: WireLimits) -> Mapping[str, str]:
    if not attributes:
        return _NONE
    if len(attributes) > limits.max_attributes:
        raise Refused(
            f"{len(attributes)} attributes, more than the {limits.max_attributes} allowed",
            "too_many_attributes",
        )
    longest = limits.max_attribute_key_bytes
    for key in attributes:
        if len(key) * 4 > longest and len(key.encode()) > longest:
            raise Refused(f"key {_show(key)} is longer than {longest} bytes", "key_too_long")
    return dict(sorted(attributes.items()))


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json_text(value)
    return json_text(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", Digits: "a number", str: "a string"}
    return names.get(type(value), "an array")
