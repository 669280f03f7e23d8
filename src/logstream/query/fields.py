"""Names of fields: what a user writes, and where in a record it is found.

A name is one of these, tried in this order:

- a canonical name of `CANONICAL` (``level``, ``service``, ``scope.name``, …): that column;
- ``attributes.KEY``, ``resource.KEY``, ``scope_attributes.KEY``: the value of exactly that key in
  the record's own, its resource's or its scope's attributes;
- a synonym of `SYNONYMS` (``msg``, ``service.name``, ``traceId``, …): the attribute of that very
  name where a record has one, else the canonical field. Any key can arrive as an attribute, so a
  synonym never hides one;
- any other name: the attribute of that name, dots included, in the first of the record's own, the
  resource's and the scope's attributes that has the key.

A name in double quotes is always the key of an attribute: ``"level"`` is an attribute called
*level*, ``"a b"`` and ``""`` are keys that could not be written otherwise; ``attributes."a b"``
says in which attributes to look.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from logstream.errors import QueryError
from logstream.query.text import quote, unquote

__all__ = [
    "CANONICAL",
    "SYNONYMS",
    "Attribute",
    "AttributeMap",
    "Column",
    "FieldRef",
    "Kind",
    "attribute",
    "resolve",
]

_BARE_NAME = re.compile(r"[^\W\d][\w.@$/-]*|[@$][\w.@$/-]+")
_PIPE_WORDS = frozenset({"as", "asc", "by", "desc"})


class Kind(Enum):
    """What a column holds, which decides what may be asked of it."""

    TIMESTAMP = "timestamp"
    LEVEL = "level"
    MESSAGE = "message"
    TEXT = "text"
    NUMBER = "number"


class Column(msgspec.Struct, frozen=True):
    """A field every record has.

    ``record_field`` is the attribute of `Record`, ``sql_column`` the column of the store's table.
    """

    name: str
    kind: Kind
    record_field: str
    sql_column: str

    def __str__(self) -> str:
        return self.name


class AttributeMap(Enum):
    """In which of a record's three sets of attributes a key is looked up."""

    ANY = ""
    OWN = "attributes"
    RESOURCE = "resource"
    SCOPE = "scope_attributes"


class Attribute(msgspec.Struct, frozen=True):
    """The attribute of a key; ``fallback`` is what a record without the key answers with."""

    key: str
    where: AttributeMap = AttributeMap.ANY
    fallback: Column | None = None

    def __str__(self) -> str:
        if self.fallback is not None:
            return self.key
        prefix = f"{self.where.value}." if self.where.value else ""
        name = prefix + self.key
        bare = _BARE_NAME.fullmatch(name) and name not in _PIPE_WORDS and _lookup(name) == self
        return name if bare else prefix + quote(self.key)


FieldRef: TypeAlias = Column | Attribute
"""Where a field's value is found."""

CANONICAL: Mapping[str, Column] = MappingProxyType(
    {
        column.name: column
        for column in (
            Column("timestamp", Kind.TIMESTAMP, "timestamp_ns", "Timestamp"),
            Column("level", Kind.LEVEL, "level", "SeverityText"),
            Column("service", Kind.TEXT, "service", "ServiceName"),
            Column("message", Kind.MESSAGE, "message", "Body"),
            Column("trace_id", Kind.TEXT, "trace_id", "TraceId"),
            Column("span_id", Kind.TEXT, "span_id", "SpanId"),
            Column("severity_number", Kind.NUMBER, "severity_number", "SeverityNumber"),
            Column("trace_flags", Kind.NUMBER, "trace_flags", "TraceFlags"),
            Column("event_name", Kind.TEXT, "event_name", "EventName"),
            Column("scope.name", Kind.TEXT, "scope_name", "ScopeName"),
            Column("scope.version", Kind.TEXT, "scope_version", "ScopeVersion"),
            Column("scope_schema_url", Kind.TEXT, "scope_schema_url", "ScopeSchemaUrl"),
            Column("resource_schema_url", Kind.TEXT, "resource_schema_url", "ResourceSchemaUrl"),
        )
    }
)
"""Canonical name → column."""

SYNONYMS: Mapping[str, Column] = MappingProxyType(
    {
        synonym: CANONICAL[name]
        for name, synonyms in {
            "message": ("msg", "body", "log", "Body"),
            "level": ("severity", "lvl", "severity_text", "severityText", "SeverityText"),
            "severity_number": ("severityNumber", "SeverityNumber"),
            "service": ("service.name", "service_name", "serviceName", "ServiceName"),
            "trace_id": ("traceId", "traceID", "traceid", "trace.id", "TraceId"),
            "span_id": ("spanId", "spanID", "spanid", "span.id", "SpanId"),
            "event_name": ("eventName", "event.name", "EventName"),
        }.items()
        for synonym in synonyms
    }
)
"""Synonym → the column that a record without an attribute of that name answers with."""


def attribute(key: str, where: AttributeMap = AttributeMap.ANY) -> Attribute:
    """The attribute of exactly this key, never a column, whatever the key's text is."""
    return Attribute(key, where)


def resolve(name: str) -> FieldRef:
    """The field that a name, written as in a query, stands for.

    Raises:
        QueryError: a bad escape inside a quoted name, or a name that needs quotes.
    """
    head, dot, tail = name.partition('."')
    try:
        if name.startswith('"') and name.endswith('"') and len(name) >= 2:
            return Attribute(unquote(name))
        if dot and tail.endswith('"'):
            return Attribute(unquote(f'"{tail}'), AttributeMap(head))
    except ValueError as exc:
        raise QueryError(
            f"bad field name {name}", hint=r"inside quotes write \\ for a backslash"
        ) from exc
    if _BARE_NAME.fullmatch(name) is None:
        raise QueryError(f"bad field name {name!r}", hint=f"quote it: {quote(name)}")
    return _lookup(name)


def _lookup(name: str) -> FieldRef:
    column = CANONICAL.get(name)
    if column is not None:
        return column
    if name in SYNONYMS:
        return Attribute(name, fallback=SYNONYMS[name])
    for where in (AttributeMap.OWN, AttributeMap.RESOURCE, AttributeMap.SCOPE):
        key = name.removeprefix(f"{where.value}.")
        if key and key != name:
            return Attribute(key, where)
    return Attribute(name)
