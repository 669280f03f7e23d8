"""What a query means, in plain Python over `Record` values. The SQL must agree with this."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

from logstream.query import ast
from logstream.query.fields import CANONICAL, Column, FieldRef, Kind
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
from logstream.query.table import Table, run_pipes
from logstream.query.text import is_token_char, lower_ascii, number_of
from logstream.query.values import attribute_value, present_value
from logstream.record import Record

__all__ = ["Table", "evaluate", "predicate"]

Predicate: TypeAlias = Callable[[Record], bool]

_MESSAGE = CANONICAL["message"]


def evaluate(query: ast.Query, records: Iterable[Record]) -> Table:
    """The rows of a query over records, in memory.

    A query whose pipes make no table gives `shape.RECORD_OUTPUTS`.

    Raises:
        QueryError: the query cannot be run.
    """
    keep = predicate(query.filter)
    return run_pipes(query.pipes, [record for record in records if keep(record)])


def predicate(filter: ast.Filter) -> Predicate:
    """Whether a record matches the filter, as a function to call once a record.

    Raises:
        QueryError: the filter asks of a field what it cannot answer; the function itself never
            raises.
    """
    match filter:
        case ast.Everything():
            return lambda record: True
        case ast.Word(text) | ast.Phrase(text):
            return _column_predicate(_MESSAGE, HasText(text, whole=True))
        case ast.Prefix(text):
            return _column_predicate(_MESSAGE, HasText(text, whole=False))
        case ast.Regex():
            return _column_predicate(_MESSAGE, TextMatches(full_pattern(filter)))
        case ast.FieldFilter(field, matcher):
            return _field_predicate(field, matcher)
        case ast.Not(inner):
            keep = predicate(inner)
            return lambda record: not keep(record)
        case ast.And(filters):
            parts = [predicate(each) for each in filters]
            return lambda record: all(part(record) for part in parts)
        case ast.Or(filters):
            parts = [predicate(each) for each in filters]
            return lambda record: any(part(record) for part in parts)


def _field_predicate(field: FieldRef, matcher: ast.Matcher) -> Predicate:
    if isinstance(field, Column):
        return _column_predicate(field, column_test(field, matcher))
    check = _text_check(attribute_test(field, matcher))
    if field.fallback is None:

        def has_it(record: Record) -> bool:
            value = attribute_value(field, record)
            return value is not None and check(value)

        return has_it
    otherwise = _column_predicate(field.fallback, column_test(field.fallback, matcher))

    def has_it_or_column(record: Record) -> bool:
        value = attribute_value(field, record)
        return otherwise(record) if value is None else check(value)

    return has_it_or_column


def _column_predicate(column: Column, test: Test) -> Predicate:
    name = column.record_field
    match test:
        case SeverityWithin(low, high):
            return lambda record: low <= record.severity_number <= high
        case MomentWithin(low_ns, high_ns):
            return lambda record: low_ns <= record.timestamp_ns <= high_ns
        case NumberWithin() if column.kind is Kind.NUMBER:
            within = _within(test)
            return lambda record: within(getattr(record, name))
        case Present():
            return lambda record: present_value(column, record) is not None
        case _:
            check = _text_check(test)
            return lambda record: check(getattr(record, name))


def _text_check(test: Test) -> Callable[[str], bool]:
    match test:
        case TextIs(text):
            return lambda value: value == text
        case TextStarts(text):
            return lambda value: value.startswith(text)
        case TextMatches(pattern):
            search = compile_pattern(pattern).search
            return lambda value: search(value.encode()) is not None
        case HasText(text, whole):
            wanted = lower_ascii(text)
            return lambda value: _has_text(lower_ascii(value), wanted, whole=whole)
        case NumberWithin():
            return _number_within(test)
        case QuantityWithin():
            return _amount_within(test)
        case Present():
            return lambda value: True
        case Impossible() | SeverityWithin() | MomentWithin():
            return lambda value: False


def _number_within(test: NumberWithin) -> Callable[[str], bool]:
    within = _within(test)

    def number_within(value: str) -> bool:
        number = number_of(value)
        return number is not None and within(number)

    return number_within


def _amount_within(test: QuantityWithin) -> Callable[[str], bool]:
    dimension, plain_unit, within = test.dimension, test.plain_unit, _within(test.amount)

    def amount_within(value: str) -> bool:
        amount = dimension.amount(value)
        if amount is None and plain_unit is not None:
            number = number_of(value)
            amount = None if number is None else number * plain_unit
        # A number times its unit may be beyond what floats hold, which is no amount.
        return amount is not None and math.isfinite(amount) and within(amount)

    return amount_within


def _has_text(value: str, wanted: str, *, whole: bool) -> bool:
    at = value.find(wanted)
    if not wanted:
        return True
    starts_token, ends_token = is_token_char(wanted[0]), whole and is_token_char(wanted[-1])
    while at >= 0:
        end = at + len(wanted)
        cut_before = starts_token and at > 0 and is_token_char(value[at - 1])
        cut_after = ends_token and end < len(value) and is_token_char(value[end])
        if not cut_before and not cut_after:
            return True
        at = value.find(wanted, at + 1)
    return False


def _within(test: NumberWithin) -> Callable[[float], bool]:
    low, high = test.low, test.high
    low_itself, high_itself = test.include_low, test.include_high

    def within(value: float) -> bool:
        if low is not None and not (value > low or (low_itself and value == low)):
            return False
        return high is None or value < high or (high_itself and value == high)

    return within
