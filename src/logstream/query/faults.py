"""Faults in a query's text, told with their place, what could stand there, and a suggestion."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from logstream.errors import QueryError

__all__ = ["PIPES", "error_at", "fail", "located", "syntax_error", "unknown"]

PIPES = ("stats", "top", "sort", "limit", "fields")

_T = TypeVar("_T")


def located(token: Token, action: Callable[[], _T]) -> _T:
    """What an action gives; a `QueryError` it raises gets the token's place."""
    try:
        return action()
    except QueryError as exc:
        fail(token, exc.message, expected=exc.expected, hint=exc.hint)


def fail(token: Token, message: str, *, expected: tuple[str, ...] = (), hint: str = "") -> NoReturn:
    """Raise a `QueryError` at the token."""
    raise QueryError(
        message,
        line=token.line or 1,
        column=token.column or 1,
        expected=expected,
        hint=hint,
    )


def unknown(token: Token, what: str, known: tuple[str, ...]) -> NoReturn:
    """Raise a `QueryError` for a word that is none of those known."""
    fail(token, f'unknown {what} "{token}"', expected=known, hint=_did_you_mean(token, known))


_OFTEN_MEANT = {
    "average": "avg", "mean": "avg", "total": "sum", "distinct": "uniq", "dc": "uniq",
    "unique": "uniq", "count_distinct": "uniq", "median": "p50", "head": "limit", "take": "limit",
    "order": "sort", "orderby": "sort", "where": "", "search": "", "select": "fields",
    "keep": "fields", "table": "fields", "project": "fields", "summarize": "stats",
    "group": "stats",
}  # fmt: skip


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    meant = _OFTEN_MEANT.get(word.lower())
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    guess = meant if meant in known else close[0] if close else ""
    return f'did you mean "{guess}"?' if guess else ""


_NAMES = {
    "WORD": "word", "QUOTED": '"quoted text"',
    "QUOTED_PREFIX": '"quoted text"*', "REGEX": "/regex/", "FIELD": "field:",
    "NEGATIVE": "negative number", "COMPARISON": "> >= < <=",
    "RANGE_OPEN": "[ or {", "RANGE_CLOSE": "] or }",
    "LPAR": "(", "RPAR": ")", "EQUAL": "=", "VBAR": "|", "COMMA": ",", "MINUS": "-",
    "NAME": "field name", "INT": "whole number", "DURATION": "duration", "ASC": "asc",
    "DESC": "desc", "$END": "end of query",
}  # fmt: skip


_STATS_MEANT = {
    name: f"write stats {name}({field})"
    for name, field in (
        ("count", ""), ("sum", "x"), ("avg", "x"), ("min", "x"), ("max", "x"), ("uniq", "x"),
        ("p50", "x"), ("p90", "x"), ("p95", "x"), ("p99", "x"),
    )
}  # fmt: skip


def _friendly(terminals: set[str]) -> tuple[str, ...]:
    return tuple(sorted(_NAMES.get(name) or _keyword(name) for name in terminals))


def _keyword(terminal: str) -> str:
    word = terminal.lstrip("_")
    return word if word in ("AND", "OR", "NOT", "TO") else word.lower()


def syntax_error(text: str, exc: UnexpectedInput) -> QueryError:
    """What the parser stumbled over, in a user's words."""
    allowed: set[str] = set()
    if isinstance(exc, UnexpectedToken):
        allowed = set(exc.accepts or exc.expected)
    elif isinstance(exc, UnexpectedCharacters | UnexpectedEOF):
        allowed = set(getattr(exc, "allowed", None) or getattr(exc, "expected", None) or ())
    ended = isinstance(exc, UnexpectedEOF) or (
        isinstance(exc, UnexpectedToken) and exc.token.type == "$END"
    )
    position = len(text) if ended else _position(exc)
    expected = _friendly(allowed)
    if set(expected) == set(PIPES):
        found = re.compile(r"\w*").match(text, position)
        word = found[0] if found else ""
        message = f'unknown pipe "{word}"' if word else "a pipe's name is missing"
        hint = _STATS_MEANT.get(word.lower()) or _did_you_mean(word, PIPES)
        return error_at(text, position, message, expected, hint)
    if ended:
        return error_at(text, position, "the query ends too early", expected, _unclosed(text))
    char = text[position : position + 1]
    hint = "a function has parentheses: count()" if expected == ("(",) else _hint(char)
    return error_at(text, position, f"{char!r} cannot stand here", expected, hint)


def _position(exc: UnexpectedInput) -> int:
    place: int | None = exc.pos_in_stream
    return place or 0


def _unclosed(text: str) -> str:
    return "close the parenthesis" if text.count("(") > text.count(")") else ""


def _hint(char: str) -> str:
    if char == '"':
        return 'a quote is not closed, or write \\" inside quotes'
    return f'put text that holds {char} in "quotes"' if char in "()[]{}|-:<>=" and char else ""


def error_at(
    text: str, position: int, message: str, expected: tuple[str, ...] = (), hint: str = ""
) -> QueryError:
    """A `QueryError` at a position of the text, in characters from 0."""
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return QueryError(message, line=line, column=column, expected=expected, hint=hint)
