"""Filters as MongoDB query documents, over documents shaped as `logstream.store.mongodb` writes.

A document has `Record`'s fields under `Record`'s names, empty texts left out; the three sets of
attributes are sub-documents whose keys went through `quote_key`, and beside each is one with only
the values that are numbers (`NUMBERS`).

What the server cannot decide as the predicate does (regular expressions, numbers in columns of
text) becomes a condition that lets through too much, never too little, and the result says so:
whoever reads the documents then asks the predicate. The server never sees a user's pattern; the
patterns it is given are made here of literal text, and mean the same to PCRE and to RE2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from logstream.query import ast
from logstream.query.evaluate import predicate
from logstream.query.fields import CANONICAL, Attribute, AttributeMap, Column, FieldRef, Kind
from logstream.query.matching import (
    HasText,
    Impossible,
    MomentWithin,
    NumberWithin,
    Present,
    QuantityWithin,
    SeverityWithin,
    Test,
    TextIs,
    TextMatches,
    TextStarts,
    attribute_test,
    column_test,
    compile_pattern,
    full_pattern,
)
from logstream.query.mongodb_conditions import (
    NOTHING,
    Document,
    absent,
    all_conditions,
    any_condition,
    literal_pattern,
    negation,
    present,
    quote_key,
    starts_with,
)
from logstream.record import Record
from logstream.severity import LEVELS, level_of_number

__all__ = [
    "ATTRIBUTE_MAPS",
    "NUMBERS",
    "ServerFilter",
    "ValuePart",
    "compile_filter",
    "fields_read",
    "value_parts",
]

ATTRIBUTE_MAPS = ("attributes", "resource", "scope_attributes")
NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "attributes": "attribute_numbers",
        "resource": "resource_numbers",
        "scope_attributes": "scope_numbers",
    }
)
"""Set of attributes → the sub-document with those of its values that are numbers."""

MAX_LITERAL_CHARS = 300
"""Of a longer text only so much is looked for by the server; the rest is asked of the predicate."""

_MESSAGE = CANONICAL["message"]
_MAPS = {
    AttributeMap.OWN: ("attributes",),
    AttributeMap.RESOURCE: ("resource",),
    AttributeMap.SCOPE: ("scope_attributes",),
    AttributeMap.ANY: ATTRIBUTE_MAPS,
}


class ServerFilter(msgspec.Struct, frozen=True):
    """What the server is asked; ``exact``: it lets through just what the predicate accepts."""

    document: Document
    exact: bool


class ValuePart(msgspec.Struct, frozen=True):
    """Where some records have a field's value: those that pass ``condition`` have it at ``path``.

    A field's parts never overlap, and a record in none of them has no value. ``number``: it is a
    whole number below 256 there, else a text.
    """

    condition: Document
    path: str
    number: bool = False


def _all(filters: Iterable[ServerFilter]) -> ServerFilter:
    parts = list(filters)
    return ServerFilter(
        all_conditions(each.document for each in parts), all(each.exact for each in parts)
    )


def _any(filters: Iterable[ServerFilter]) -> ServerFilter:
    parts = list(filters)
    return ServerFilter(
        any_condition(each.document for each in parts), all(each.exact for each in parts)
    )


# Filters


def compile_filter(filter: ast.Filter) -> ServerFilter:
    """The filter for the server.

    Raises:
        QueryError: the filter asks of a field what it cannot answer.
    """
    match filter:
        case ast.Everything():
            return ServerFilter({}, True)
        case ast.Word(text) | ast.Phrase(text):
            return _text(_MESSAGE.record_field, HasText(text, whole=True))
        case ast.Prefix(text):
            return _text(_MESSAGE.record_field, HasText(text, whole=False))
        case ast.Regex():
            return _text(_MESSAGE.record_field, TextMatches(full_pattern(filter)))
        case ast.FieldFilter(field, matcher):
            return _field(field, matcher)
        case ast.Not(inner):
            found = compile_filter(inner)
            # What a condition that lets through too much refuses is too little to go by.
            return ServerFilter(negation(found.document) if found.exact else {}, found.exact)
        case ast.And(filters):
            return _all(map(compile_filter, filters))
        case ast.Or(filters):
            return _any(map(compile_filter, filters))


def _field(field: FieldRef, matcher: ast.Matcher) -> ServerFilter:
    return _column(field, matcher) if isinstance(field, Column) else _attribute(field, matcher)


def _column(column: Column, matcher: ast.Matcher) -> ServerFilter:
    name, test = column.record_field, column_test(column, matcher)
    if column.kind is Kind.LEVEL:
        return ServerFilter(_levels(column, matcher), True)
    if column.kind is Kind.TIMESTAMP:
        if isinstance(test, MomentWithin):
            return ServerFilter({name: {"$gte": test.low_ns, "$lte": test.high_ns}}, True)
        return ServerFilter({} if isinstance(test, Present) else NOTHING, True)
    if column.kind is Kind.NUMBER:
        if isinstance(test, NumberWithin):
            bounds = _bounds(test)
            return ServerFilter({name: bounds} if bounds else {}, True)
        return ServerFilter({name: {"$gt": 0}} if isinstance(test, Present) else NOTHING, True)
    return _text(name, test)


def _levels(column: Column, matcher: ast.Matcher) -> Document:
    """Whole levels by name, which an index gives in order of time; else by severity number."""
    keep = predicate(ast.FieldFilter(column, matcher))
    numbers = [
        number
        for number in range(25)
        if keep(Record(timestamp_ns=0, level=level_of_number(number), severity_number=number))
    ]
    names = dict.fromkeys(map(level_of_number, numbers))
    whole = sum(4 if name else 1 for name in names) == len(numbers)
    if not whole:
        return {"severity_number": {"$in": numbers}}
    if len(names) > len(LEVELS):
        return {}
    given = [name for name in names if name]
    return any_condition([_one_of("level", given), absent("level") if "" in names else NOTHING])


def _one_of(name: str, values: list[str]) -> Document:
    return NOTHING if not values else {name: values[0] if len(values) == 1 else {"$in": values}}


def _text(name: str, test: Test) -> ServerFilter:
    """A column of text, which a document without it holds as ``""``."""
    match test:
        case TextIs(""):
            return ServerFilter(absent(name), True)
        case TextStarts(""):
            return ServerFilter({}, True)
        case TextMatches(pattern):
            needs_text = compile_pattern(pattern).search(b"") is None
            return ServerFilter(present(name) if needs_text else {}, False)
        case NumberWithin() | QuantityWithin():
            return ServerFilter(present(name), False)
        case _:
            return _text_at(name, test)


def _text_at(path: str, test: Test) -> ServerFilter:
    """A text that is not empty, or an attribute's value."""
    match test:
        case TextIs(text):
            return ServerFilter({path: text}, True)
        case TextStarts(text):
            return ServerFilter(starts_with(path, text), True)
        case HasText(text, whole):
            cut = len(text) > MAX_LITERAL_CHARS
            pattern = literal_pattern(text[:MAX_LITERAL_CHARS], whole=whole and not cut)
            return ServerFilter({path: {"$regex": pattern}} if text else {}, not cut)
        case Present():
            return ServerFilter(present(path), True)
        case Impossible() | SeverityWithin() | MomentWithin():
            return ServerFilter(NOTHING, True)
        case _:
            # Patterns and whatever else only the predicate knows of, now or later.
            return ServerFilter(present(path), False)


def _attribute(field: Attribute, matcher: ast.Matcher) -> ServerFilter:
    test = attribute_test(field, matcher)
    choices, lacking = [], ServerFilter({}, True)
    for name in _MAPS[field.where]:
        path = f"{name}.{quote_key(field.key)}"
        if isinstance(test, NumberWithin):
            numbers = f"{NUMBERS[name]}.{quote_key(field.key)}"
            found = ServerFilter({numbers: _bounds(test) or {"$exists": True}}, True)
        else:
            found = _text_at(path, test)
        choices.append(_all([found, lacking]))
        lacking = _all([lacking, ServerFilter(absent(path), True)])
    if field.fallback is not None:
        choices.append(_all([_column(field.fallback, matcher), lacking]))
    return _any(choices)


def _bounds(test: NumberWithin) -> Document:
    bounds: Document = {}
    if test.low is not None:
        bounds["$gte" if test.include_low else "$gt"] = test.low
    if test.high is not None:
        bounds["$lte" if test.include_high else "$lt"] = test.high
    return bounds


# Fields


def value_parts(field: FieldRef) -> list[ValuePart]:
    """Where records have the field's value, as `values.present_value` sees it."""
    if isinstance(field, Column):
        name = field.record_field
        number = field.kind is Kind.NUMBER
        return [ValuePart({name: {"$gt": 0}} if number else present(name), name, number)]
    parts: list[ValuePart] = []
    lacking: Document = {}
    for name in _MAPS[field.where]:
        path = f"{name}.{quote_key(field.key)}"
        parts.append(ValuePart(all_conditions([present(path), lacking]), path))
        lacking = all_conditions([lacking, absent(path)])
    if field.fallback is not None:
        [column] = value_parts(field.fallback)
        condition = all_conditions([column.condition, lacking])
        parts.append(ValuePart(condition, column.path, column.number))
    return parts


def fields_read(*parts: ast.Filter | FieldRef) -> frozenset[str]:
    """The record's fields that the predicate or a field's value is read from."""
    found: set[str] = set()
    for part in parts:
        match part:
            case ast.Everything():
                pass
            case Column():
                found |= {part.record_field, *(("severity_number",) * (part.kind is Kind.LEVEL))}
            case Attribute(_, where, fallback):
                found |= {*_MAPS[where], *(() if fallback is None else fields_read(fallback))}
            case ast.FieldFilter(field):
                found |= fields_read(field)
            case ast.Not(inner):
                found |= fields_read(inner)
            case ast.And(filters) | ast.Or(filters):
                found |= fields_read(*filters)
            case _:
                found.add(_MESSAGE.record_field)
    return frozenset(found)
