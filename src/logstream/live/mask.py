"""A filter over a whole batch at once: which rows can match, found without making records.

`plan` turns a filter into a function from a batch to a `Mask`. A mask never leaves out a row that
`query.evaluate.predicate` accepts; where it is ``exact`` it holds no other either, else the
predicate has to look at the rows that are left. Everything common is fast: levels, services,
words, attributes with a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from logstream.query import ast
from logstream.query.fields import CANONICAL, Attribute, AttributeMap, Column, Kind
from logstream.query.matching import (
    HasText,
    Impossible,
    NumberWithin,
    SeverityWithin,
    Test,
    TextIs,
    TextMatches,
    TextStarts,
    attribute_test,
    column_test,
    full_pattern,
)
from logstream.query.text import lower_ascii

__all__ = ["Mask", "Plan", "plan"]


class Mask(msgspec.Struct, frozen=True):
    """One boolean a row (never null), or ``None`` for "every row"."""

    rows: pa.BooleanArray | None
    exact: bool


Plan: TypeAlias = Callable[[pa.RecordBatch], Mask]

_ANY = Mask(None, exact=False)
_ALL = Mask(None, exact=True)
_MAPS = {
    AttributeMap.ANY: ("LogAttributes", "ResourceAttributes", "ScopeAttributes"),
    AttributeMap.OWN: ("LogAttributes",),
    AttributeMap.RESOURCE: ("ResourceAttributes",),
    AttributeMap.SCOPE: ("ScopeAttributes",),
}


def plan(where: ast.Filter) -> Plan:
    """The filter over batches.

    Raises:
        QueryError: the filter asks of a field what it cannot answer.
    """
    match where:
        case ast.Not(inner):
            return _not(plan(inner))
        case ast.And(filters):
            return _joined([plan(each) for each in filters], all_=True)
        case ast.Or(filters):
            return _joined([plan(each) for each in filters], all_=False)
        case ast.FieldFilter(Column() as column, matcher):
            return _column(column, column_test(column, matcher))
        case ast.FieldFilter(Attribute() as attribute, matcher):
            return _attribute(attribute, matcher)
        case ast.Word() | ast.Phrase() | ast.Prefix() | ast.Regex():
            return _column(CANONICAL["message"], _message_test(where))
    return lambda batch: _ALL


def _message_test(where: ast.Word | ast.Phrase | ast.Prefix | ast.Regex) -> Test:
    if isinstance(where, ast.Regex):
        return TextMatches(full_pattern(where))
    return HasText(where.text, whole=not isinstance(where, ast.Prefix))


def _not(inner: Plan) -> Plan:
    def run(batch: pa.RecordBatch) -> Mask:
        mask = inner(batch)
        if not mask.exact:
            return _ANY
        rows = _same(batch, value=False) if mask.rows is None else pc.invert(mask.rows)
        return Mask(rows, exact=True)

    return run


def _joined(parts: Sequence[Plan], *, all_: bool) -> Plan:
    def run(batch: pa.RecordBatch) -> Mask:
        masks = [part(batch) for part in parts]
        exact = all(mask.exact for mask in masks)
        known = [mask.rows for mask in masks if mask.rows is not None]
        if not known or (not all_ and len(known) < len(masks)):
            return Mask(None, exact=exact)
        rows = known[0]
        for other in known[1:]:
            rows = pc.and_(rows, other) if all_ else pc.or_(rows, other)
        return Mask(rows, exact=exact)

    return run


def _column(column: Column, test: Test) -> Plan:
    name = "SeverityNumber" if isinstance(test, SeverityWithin) else column.sql_column
    compare = _comparison(column, test)
    if compare is None:
        return lambda batch: _ANY
    exact = not isinstance(test, HasText | TextMatches)

    def run(batch: pa.RecordBatch) -> Mask:
        index = batch.schema.get_field_index(name)
        if index >= 0:
            return Mask(compare(batch.column(index)), exact=exact)
        empty = pa.array([""]) if column.kind in _TEXTS else pa.array([0], pa.uint8())
        if isinstance(test, SeverityWithin):
            empty = pa.array([0], pa.uint8())
        return Mask(_same(batch, value=compare(empty)[0].as_py()), exact=exact)

    return run


_TEXTS = (Kind.TEXT, Kind.MESSAGE, Kind.LEVEL)


def _comparison(column: Column, test: Test) -> Callable[[pa.Array], pa.BooleanArray] | None:
    match test:
        case TextIs(text):
            return lambda values: pc.equal(values, text)
        case TextStarts(text):
            return lambda values: pc.starts_with(values, text)
        case TextMatches(pattern):
            return lambda values: pc.match_substring_regex(values, pattern)
        case HasText(text):
            wanted = lower_ascii(text)
            return lambda values: pc.match_substring(pc.ascii_lower(values), wanted)
        case SeverityWithin(low, high):
            return lambda values: _between(values, low, high)
        case NumberWithin() if column.kind is Kind.NUMBER:
            return lambda values: _within(values, test)
        case Impossible():
            return lambda values: pa.repeat(pa.scalar(value=False), len(values))
        case _:
            return None


def _between(values: pa.Array, low: int, high: int) -> pa.BooleanArray:
    return pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))


def _within(values: pa.Array, test: NumberWithin) -> pa.BooleanArray:
    numbers = values.cast(pa.float64())
    rows = pa.repeat(pa.scalar(value=True), len(values))
    if test.low is not None:
        above = pc.greater_equal if test.include_low else pc.greater
        rows = pc.and_(rows, above(numbers, test.low))
    if test.high is not None:
        below = pc.less_equal if test.include_high else pc.less
        rows = pc.and_(rows, below(numbers, test.high))
    return rows


def _attribute(attribute: Attribute, matcher: ast.Matcher) -> Plan:
    """Rows that have the key, with that very value if the matcher is equality."""
    test = attribute_test(attribute, matcher)
    otherwise: Plan | None = None
    if attribute.fallback is not None:
        otherwise = _column(attribute.fallback, column_test(attribute.fallback, matcher))

    def run(batch: pa.RecordBatch) -> Mask:
        rows: pa.BooleanArray = _same(batch, value=False)
        if not isinstance(test, Impossible):
            for name in _MAPS[attribute.where]:
                index = batch.schema.get_field_index(name)
                if index >= 0:
                    found = _having(batch.column(index), attribute.key, test)
                    rows = pc.or_(rows, found)
        if otherwise is None:
            return Mask(rows, exact=False)
        column = otherwise(batch).rows
        return _ANY if column is None else Mask(pc.or_(rows, column), exact=False)

    return run


def _having(maps: pa.MapArray, key: str, test: Test) -> pa.BooleanArray:
    offsets = maps.offsets
    first, last = offsets[0].as_py(), offsets[-1].as_py()
    pairs = pc.equal(maps.keys.slice(first, last - first), key)
    if isinstance(test, TextIs):
        values = maps.items.slice(first, last - first)
        pairs = pc.and_(pairs, pc.equal(values, test.text))
    # How many pairs match before each row's first and after its last: equal if none in between.
    counts = pc.cumulative_sum(pairs.cast(pa.int32()))
    counts = pa.concat_arrays([pa.array([0], pa.int32()), counts])
    at = counts.take(pc.subtract(offsets, first))
    return pc.not_equal(at.slice(0, len(maps)), at.slice(1))


def _same(batch: pa.RecordBatch, *, value: bool) -> pa.BooleanArray:
    return pa.repeat(pa.scalar(value=value), batch.num_rows)
