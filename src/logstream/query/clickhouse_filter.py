"""Filters and fields as ClickHouse SQL over the ``otel_logs`` columns.

SQL text holds only names from this package's own tables and placeholders such as
``{q0:String}``; what they stand for is in `Params`, bound by the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeAlias

from logstream.query import ast
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
    escape_pattern,
    full_pattern,
)
from logstream.query.text import is_token, is_token_char, lower_ascii, tokens

__all__ = ["Params", "compile_filter", "field_sql", "present_sql"]

_MESSAGE = CANONICAL["message"]
_SEPARATOR = r"[^A-Za-z0-9\x{80}-\x{10FFFF}]"
_MAPS = {
    AttributeMap.OWN: ("LogAttributes",),
    AttributeMap.RESOURCE: ("ResourceAttributes",),
    AttributeMap.SCOPE: ("ScopeAttributes",),
    AttributeMap.ANY: ("LogAttributes", "ResourceAttributes", "ScopeAttributes"),
}

ParamValue: TypeAlias = str | int | float


class Params:
    """Collects values and hands out placeholders; ``values`` goes to the driver as it is.

    Args:
        prefix: Start of every name, so that the caller's own parameters cannot collide.
    """

    def __init__(self, prefix: str = "q") -> None:
        self.values: dict[str, ParamValue] = {}
        self._prefix = prefix
        self._placeholders: dict[tuple[str, ParamValue], str] = {}

    def add(self, value: ParamValue, sql_type: str) -> str:
        """The placeholder for a value; the same value and type share one."""
        key = (sql_type, value)
        if key not in self._placeholders:
            name = f"{self._prefix}{len(self.values)}"
            self.values[name] = value
            self._placeholders[key] = f"{{{name}:{sql_type}}}"
        return self._placeholders[key]

    def text(self, value: str) -> str:
        """The placeholder for a text."""
        return self.add(value, "String")


def compile_filter(filter: ast.Filter, params: Params) -> str:
    """A boolean SQL expression, in parentheses where it needs them, that is never NULL.

    Raises:
        QueryError: the filter asks of a field what it cannot answer.
    """
    match filter:
        case ast.Everything():
            return "1"
        case ast.Word(text) | ast.Phrase(text):
            return _column_sql(_MESSAGE, HasText(text, whole=True), params)
        case ast.Prefix(text):
            return _column_sql(_MESSAGE, HasText(text, whole=False), params)
        case ast.Regex():
            compile_pattern(full_pattern(filter))
            return _column_sql(_MESSAGE, TextMatches(full_pattern(filter)), params)
        case ast.FieldFilter(field, matcher):
            return _field_filter(field, matcher, params)
        case ast.Not(inner):
            return f"NOT ({compile_filter(inner, params)})"
        case ast.And(filters):
            cheapest_first = sorted(filters, key=_cost)
            return f"({' AND '.join(compile_filter(each, params) for each in cheapest_first)})"
        case ast.Or(filters):
            return f"({' OR '.join(compile_filter(each, params) for each in filters)})"


class _Cost(IntEnum):
    """What a condition reads: rows that an earlier one refused are not read for a later one."""

    COLUMN = 0
    MESSAGE = 1
    ATTRIBUTES = 2


def _cost(filter: ast.Filter) -> _Cost:
    match filter:
        case ast.Everything():
            return _Cost.COLUMN
        case ast.FieldFilter(field):
            if not isinstance(field, Column):
                return _Cost.ATTRIBUTES
            return _Cost.MESSAGE if field.kind is Kind.MESSAGE else _Cost.COLUMN
        case ast.Not(inner):
            return _cost(inner)
        case ast.And(filters) | ast.Or(filters):
            return max(map(_cost, filters))
        case _:
            return _Cost.MESSAGE


def field_sql(ref: FieldRef, params: Params) -> str:
    """A field's value: a column as it is (times as nanoseconds), or a nullable text."""
    if isinstance(ref, Column):
        return _times_as_ns(ref)
    fallback = "NULL" if ref.fallback is None else _as_text(ref.fallback)
    return _attribute_sql(ref, fallback, params)


def present_sql(ref: FieldRef, params: Params) -> str:
    """As `field_sql`, with NULL for an empty column: what aggregates count."""
    if isinstance(ref, Column):
        return _times_as_ns(ref) if ref.kind is Kind.TIMESTAMP else _null_if_empty(ref)
    if ref.fallback is None:
        return _attribute_sql(ref, "NULL", params)
    column = ref.fallback
    fallback = _null_if_empty(column)
    if column.kind is Kind.NUMBER:
        fallback = f"toString({fallback})"
    return _attribute_sql(ref, fallback, params)


def _times_as_ns(column: Column) -> str:
    if column.kind is Kind.TIMESTAMP:
        return f"toUnixTimestamp64Nano({column.sql_column})"
    return column.sql_column


def _as_text(column: Column) -> str:
    return f"toString({column.sql_column})"


def _null_if_empty(column: Column) -> str:
    empty = "0" if column.kind is Kind.NUMBER else "''"
    return f"nullIf({column.sql_column}, {empty})"


def _attribute_sql(attribute: Attribute, otherwise: str, params: Params) -> str:
    key = params.text(attribute.key)
    cases = [f"mapContains({each}, {key}), {each}[{key}]" for each in _MAPS[attribute.where]]
    return f"multiIf({', '.join(cases)}, {otherwise})"


# Filters on fields


def _field_filter(field: FieldRef, matcher: ast.Matcher, params: Params) -> str:
    if isinstance(field, Column):
        return _column_sql(field, column_test(field, matcher), params)
    key = params.text(field.key)
    test = attribute_test(field, matcher)
    maps = _MAPS[field.where]
    choices = []
    for index, each in enumerate(maps):
        lacking = [f"NOT mapContains({earlier}, {key})" for earlier in maps[:index]]
        found = _entry_sql(each, key, test, params)
        choices.append(" AND ".join([*found, *lacking]))
    if field.fallback is not None:
        lacking = [f"NOT mapContains({each}, {key})" for each in maps]
        column = _column_sql(field.fallback, column_test(field.fallback, matcher), params)
        choices.append(" AND ".join([column, *lacking]))
    return f"({' OR '.join(f'({choice})' for choice in choices)})"


def _entry_sql(attributes: str, key: str, test: Test, params: Params) -> list[str]:
    """Conditions for "this map has the key, and its value passes"."""
    has_key = f"mapContains({attributes}, {key})"
    if isinstance(test, Present):
        return [has_key]
    passes = _text_sql(f"{attributes}[{key}]", test, params)
    if isinstance(test, TextIs) and test.text:
        # A map without the key answers "", so equality says it all; the rest only helps indexes.
        has_value = f"has(mapValues({attributes}), {params.text(test.text)})"
        return [f"indexHint({has_key} AND {has_value})", passes]
    return [has_key, passes]


def _column_sql(column: Column, test: Test, params: Params) -> str:
    name = column.sql_column
    match test:
        case SeverityWithin(low, high):
            if low == high:
                return f"SeverityNumber = {params.add(low, 'UInt8')}"
            if (low, high) == (1, 24):
                return "SeverityNumber > 0"
            first, last = params.add(low, "UInt8"), params.add(high, "UInt8")
            return f"(SeverityNumber >= {first} AND SeverityNumber <= {last})"
        case MomentWithin(low_ns, high_ns):
            return f"({name} >= {_moment(low_ns, params)} AND {name} <= {_moment(high_ns, params)})"
        case NumberWithin() if column.kind is Kind.NUMBER:
            return f"({' AND '.join(_bounds(name, test, params)) or '1'})"
        case Present():
            if column.kind is Kind.TIMESTAMP:
                return "1"
            return f"{name} != 0" if column.kind is Kind.NUMBER else f"{name} != ''"
        case _:
            return _text_sql(name, test, params)


def _moment(timestamp_ns: int, params: Params) -> str:
    return f"fromUnixTimestamp64Nano({params.add(timestamp_ns, 'Int64')}, 'UTC')"


def _text_sql(value: str, test: Test, params: Params) -> str:
    match test:
        case TextIs(text):
            return f"{value} = {params.text(text)}"
        case TextStarts(text):
            return f"startsWith({value}, {params.text(text)})"
        case TextMatches(pattern):
            return f"match({value}, {params.text(pattern)})"
        case HasText(text, whole):
            return _has_text_sql(f"lower({value})", lower_ascii(text), params, whole=whole)
        case NumberWithin():
            return _within(f"toFloat64OrNull({value})", test, params)
        case QuantityWithin():
            return _within(_amount_sql(value, test, params), test.amount, params)
        case Present():
            return "1"
        case Impossible() | SeverityWithin() | MomentWithin():
            return "0"


def _within(number: str, test: NumberWithin, params: Params) -> str:
    return f"ifNull({' AND '.join([f'isFinite({number})', *_bounds(number, test, params)])}, 0)"


def _amount_sql(value: str, test: QuantityWithin, params: Params) -> str:
    """`Dimension.amount` of the text; NULL, or not finite, where it is no quantity."""
    dimension, plain = test.dimension, "NULL"
    if test.plain_unit is not None:
        plain = f"toFloat64OrNull({value}) * {params.add(test.plain_unit, 'Float64')}"
    groups = f"extractGroups({value}, {params.text(dimension.pattern)})"
    names = ", ".join(map(params.text, dimension.units))
    factors = ", ".join(params.add(each, "Float64") for each in dimension.units.values())
    total = " + ".join(
        f"toFloat64OrZero({groups}[{2 * n}])"
        f" * transform(lower({groups}[{2 * n + 1}]), [{names}], [{factors}], 0.0)"
        for n in range(1, dimension.pairs + 1)
    )
    fits = f"position({params.text(dimension.endings)}, right({value}, 1)) > 0"
    signed = f"if({groups}[1] = '-', -1.0, 1.0) * ({total})"
    return f"if({value} != '' AND {fits} AND notEmpty({groups}), {signed}, {plain})"


def _bounds(number: str, test: NumberWithin, params: Params) -> list[str]:
    bounds = []
    if test.low is not None:
        op = ">=" if test.include_low else ">"
        bounds.append(f"{number} {op} {params.add(test.low, 'Float64')}")
    if test.high is not None:
        op = "<=" if test.include_high else "<"
        bounds.append(f"{number} {op} {params.add(test.high, 'Float64')}")
    return bounds


def _has_text_sql(lowered: str, text: str, params: Params, *, whole: bool) -> str:
    """Tokens are only for the token index; the text itself is searched for, then its bounds."""
    if whole and is_token(text):
        return f"hasToken({lowered}, {params.text(text)})"
    if not text:
        return "1"
    bound_before = is_token_char(text[0])
    bound_after = whole and is_token_char(text[-1])
    hints = [
        f"hasToken({lowered}, {params.text(token)})"
        for token in dict.fromkeys(_whole_tokens(text, bound_after))
    ]
    conditions = [f"indexHint({' AND '.join(hints)})"] if hints else []
    conditions.append(f"position({lowered}, {params.text(text)}) > 0")
    if bound_before or bound_after:
        before = f"(?:^|{_SEPARATOR})" if bound_before else ""
        after = f"(?:{_SEPARATOR}|$)" if bound_after else ""
        pattern = params.text(before + escape_pattern(text) + after)
        # AND runs the costly half only on rows that have the text at all.
        conditions.append(f"match({lowered}, {pattern})")
    return f"({' AND '.join(conditions)})"


def _whole_tokens(text: str, bound_after: bool) -> Sequence[str]:
    """The tokens that any text holding this one must hold: all but a cut one at the end."""
    found = tokens(text)
    return found if bound_after or not is_token_char(text[-1]) else found[:-1]
