"""What a field filter comes down to: one test of one kind of value.

The SQL compiler and the Python predicate both start from these tests, so that reading an operand
(as a number, a moment, a severity) happens in one place and cannot differ between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import msgspec
import re2

from logstream.errors import QueryError
from logstream.query import ast
from logstream.query.fields import Attribute, Column, Kind
from logstream.query.quantity import Dimension, dimension_of, unit_in_name
from logstream.query.text import number_of
from logstream.severity import LEVELS, severity_of_text
from logstream.timestamps import MAX_TIMESTAMP_NS, MIN_TIMESTAMP_NS, parse_timestamp

__all__ = [
    "MAX_PATTERN_CHARS",
    "HasText",
    "Impossible",
    "MomentWithin",
    "NumberWithin",
    "Present",
    "QuantityWithin",
    "SeverityWithin",
    "Test",
    "TextIs",
    "TextMatches",
    "TextStarts",
    "attribute_test",
    "check_filter",
    "column_test",
    "compile_pattern",
    "escape_pattern",
    "first_match",
    "full_pattern",
]

MAX_PATTERN_CHARS = 1_000
"""Longest regular expression, in characters."""
_PATTERN_MEMORY_BYTES = 1 << 20  # well under the engine's own limit, so it never refuses one later
_SET_MEMORY_BYTES = 64 << 20


class TextIs(msgspec.Struct, frozen=True):
    """The whole text is this."""

    text: str


class TextStarts(msgspec.Struct, frozen=True):
    """The text starts with this, case-sensitively."""

    text: str


class TextMatches(msgspec.Struct, frozen=True):
    """RE2 finds this anywhere in the text."""

    pattern: str


class HasText(msgspec.Struct, frozen=True):
    """The text holds this, ASCII case aside, from a token's start (and to a token's end)."""

    text: str
    whole: bool


class NumberWithin(msgspec.Struct, frozen=True):
    """The value is a number between these; ``None``: no bound on that side."""

    low: float | None
    high: float | None
    include_low: bool
    include_high: bool


class QuantityWithin(msgspec.Struct, frozen=True):
    """The text is a quantity whose amount is between these; ``plain_unit``: what one is worth in a
    text that is only a number, ``None``: such a text is none."""

    dimension: Dimension
    plain_unit: float | None
    amount: NumberWithin


class SeverityWithin(msgspec.Struct, frozen=True):
    """The severity number is between these, ends included."""

    low: int
    high: int


class MomentWithin(msgspec.Struct, frozen=True):
    """The timestamp is between these, in nanoseconds, ends included."""

    low_ns: int
    high_ns: int


class Present(msgspec.Struct, frozen=True):
    """The attribute is there; the column is not empty."""


class Impossible(msgspec.Struct, frozen=True):
    """No value is so."""


Test: TypeAlias = (
    TextIs
    | TextStarts
    | TextMatches
    | HasText
    | NumberWithin
    | QuantityWithin
    | SeverityWithin
    | MomentWithin
    | Present
    | Impossible
)
"""One test of one value."""


def attribute_test(attribute: Attribute, matcher: ast.Matcher) -> Test:
    """What the attribute's text must be.

    Raises:
        QueryError: the matcher asks what no attribute can answer.
    """
    try:
        return _text_test(matcher, attribute.key)
    except QueryError:
        # The matcher may be meant for the column behind the synonym (severity:>=warn).
        if attribute.fallback is None:
            raise
        return Impossible()


def column_test(column: Column, matcher: ast.Matcher) -> Test:
    """What the column's value must be.

    Raises:
        QueryError: the matcher asks what the column cannot answer.
    """
    if column.kind is Kind.TIMESTAMP:
        return _moment_test(matcher)
    if column.kind is Kind.LEVEL:
        return _level_test(matcher)
    if column.kind is Kind.NUMBER:
        return _number_test(column, matcher)
    if column.kind is Kind.MESSAGE and isinstance(matcher, ast.Equals):
        return HasText(matcher.text, whole=True)
    if column.kind is Kind.MESSAGE and isinstance(matcher, ast.StartsWith):
        return HasText(matcher.text, whole=False)
    return _text_test(matcher)


def check_filter(leaf: ast.Filter) -> None:
    """Refuse a `Regex` or `FieldFilter` that could not be run; others pass.

    Raises:
        QueryError: says what its operand should have been.
    """
    if isinstance(leaf, ast.Regex):
        compile_pattern(full_pattern(leaf))
    elif isinstance(leaf, ast.FieldFilter):
        field = leaf.field
        if isinstance(field, Column):
            column_test(field, leaf.matcher)
            return
        attribute_test(field, leaf.matcher)
        if field.fallback is not None:
            column_test(field.fallback, leaf.matcher)


def full_pattern(regex: ast.Regex) -> str:
    """The RE2 pattern with its flag inside."""
    return f"(?i){regex.pattern}" if regex.ignore_case else regex.pattern


def escape_pattern(text: str) -> str:
    """The pattern that matches exactly this text."""
    return str(re2.escape(text))


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> re2._Regexp[bytes]:
    """The pattern for UTF-8 bytes, compiled as ClickHouse compiles it: ``.`` matches a newline.

    Raises:
        QueryError: not a pattern, or one that is too large.
    """
    if len(pattern) > MAX_PATTERN_CHARS:
        raise QueryError(f"a regex holds at most {MAX_PATTERN_CHARS} characters")
    try:
        return re2.compile(pattern.encode(), _options(_PATTERN_MEMORY_BYTES))
    except re2.error as exc:
        reason = exc.args[0] if exc.args else "invalid"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise QueryError(
            f"bad regex: {text}",
            hint="the syntax is RE2's: no look-around, no back-references",
        ) from exc


def first_match(patterns: Sequence[str]) -> Callable[[str], int | None]:
    """Which of the patterns is the first that finds a text, looking for all of them at once.

    Raises:
        QueryError: one of them is not a pattern.
    """
    for pattern in patterns:
        compile_pattern(pattern)
    every = re2.Set.SearchSet(_options(_SET_MEMORY_BYTES))
    for pattern in patterns:
        every.Add(pattern)
    every.Compile()
    # A set answers nothing at all, or `None`, where it finds nothing.
    return lambda text: min(every.Match(text) or (), default=None) if patterns else None


def _options(memory_bytes: int) -> re2.Options:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = memory_bytes
    return options


def _text_test(matcher: ast.Matcher, key: str = "") -> Test:
    match matcher:
        case ast.Equals(text) | ast.Exact(text):
            return TextIs(text)
        case ast.StartsWith(text):
            return TextStarts(text)
        case ast.Regex():
            pattern = full_pattern(matcher)
            compile_pattern(pattern)
            return TextMatches(pattern)
        case ast.Comparison() | ast.Range():
            return _quantities(matcher, key)
        case ast.Exists():
            return Present()


def _quantities(matcher: ast.Comparison | ast.Range, key: str) -> NumberWithin | QuantityWithin:
    """Of numbers, or, if the first operand has a unit, of quantities."""
    ends = (
        (matcher.operand,) if isinstance(matcher, ast.Comparison) else (matcher.low, matcher.high)
    )
    dimension = next((found for end in ends if end and (found := dimension_of(end))), None)
    if dimension is None:
        return _interval(matcher, _number)

    def amount(text: str) -> float:
        value = dimension.amount(text)
        if value is None:
            raise QueryError(
                f'"{text}" is no {dimension.name}',
                expected=(dimension.name,),
                hint="give both ends a unit: [100ms TO 2s]",
            )
        return value

    return QuantityWithin(dimension, unit_in_name(key, dimension), _interval(matcher, amount))


def _interval(matcher: ast.Comparison | ast.Range, read: Callable[[str], float]) -> NumberWithin:
    if isinstance(matcher, ast.Range):
        return NumberWithin(
            None if matcher.low is None else read(matcher.low),
            None if matcher.high is None else read(matcher.high),
            matcher.include_low,
            matcher.include_high,
        )
    value = read(matcher.operand)
    if matcher.op[0] == ">":
        return NumberWithin(value, None, matcher.op == ">=", True)
    return NumberWithin(None, value, True, matcher.op == "<=")


def _number(text: str) -> float:
    value = number_of(text)
    if value is None:
        raise QueryError(
            f'"{text}" is no number',
            expected=("number",),
            hint="> < and ranges compare numbers, durations such as 1.5s, sizes such as 10MB",
        )
    return value


def _number_test(column: Column, matcher: ast.Matcher) -> Test:
    if isinstance(matcher, ast.Equals | ast.Exact):
        value = _number(matcher.text)
        return NumberWithin(value, value, True, True)
    if isinstance(matcher, ast.StartsWith | ast.Regex):
        raise QueryError(f"{column.name} is a number", expected=("number", "> >= < <=", "range"))
    return Present() if isinstance(matcher, ast.Exists) else _interval(matcher, _number)


def _moment_test(matcher: ast.Matcher) -> Test:
    low, high = MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS
    match matcher:
        case ast.Equals(text) | ast.Exact(text):
            low = high = _moment(text)
        case ast.Comparison(op, text):
            at = _moment(text)
            if op[0] == ">":
                low = at if op == ">=" else at + 1
            else:
                high = at if op == "<=" else at - 1
        case ast.Range(first, last, include_first, include_last):
            if first is not None:
                low = _moment(first) + (not include_first)
            if last is not None:
                high = _moment(last) - (not include_last)
        case ast.Exists():
            return Present()
        case _:
            raise QueryError("timestamp is a time", expected=("time", "> >= < <=", "range"))
    return MomentWithin(low, high) if low <= high else Impossible()


def _moment(text: str) -> int:
    moment = parse_timestamp(text)
    if moment is None:
        raise QueryError(
            f'"{text}" is no time', expected=("time",), hint="write 2026-11-23T14:30:00Z"
        )
    return moment


def _level_test(matcher: ast.Matcher) -> Test:
    first, last = 1, 24
    match matcher:
        case ast.Equals(text) | ast.Exact(text):
            first, last = (0, 0) if text == "" else _severities(text)
        case ast.Comparison(op, text):
            low, high = _severities(text)
            if op[0] == ">":
                first = low if op == ">=" else high + 1
            else:
                last = high if op == "<=" else low - 1
        case ast.Range(low_text, high_text, include_low, include_high):
            if low_text is not None:
                low, high = _severities(low_text)
                first = low if include_low else high + 1
            if high_text is not None:
                low, high = _severities(high_text)
                last = high if include_high else low - 1
        case ast.Exists():
            pass
        case ast.StartsWith(text):
            return TextStarts(text.lower())
        case ast.Regex():
            return _text_test(matcher)
    return SeverityWithin(first, last) if first <= last else Impossible()


def _severities(text: str) -> tuple[int, int]:
    """First and last severity number that a level covers; a finer name covers only its own."""
    number = severity_of_text(text)
    if number is None:
        raise QueryError(f'"{text}" is no level', expected=LEVELS)
    return (number, number + 3) if number % 4 == 1 else (number, number)
