"""Query text → `Query`, by the grammar beside this file; every fault is a `QueryError`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import Any, NamedTuple, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from logstream.errors import QueryError
from logstream.query import ast
from logstream.query.faults import error_at, fail, located, syntax_error, unknown
from logstream.query.fields import FieldRef, resolve
from logstream.query.matching import check_filter
from logstream.query.shape import Shape, shape_after
from logstream.query.text import quote, unquote
from logstream.timestamps import duration_ns

__all__ = ["MAX_DEPTH", "MAX_FILTERS", "MAX_QUERY_CHARS", "parse"]

MAX_QUERY_CHARS = 65_536
"""Longest query text, in characters."""
MAX_FILTERS = 500
"""Most filters in one query."""
_MAX_PIECES = 8 * MAX_FILTERS  # counted before parsing: what parsing costs is bounded, too
# A quote that is not closed takes the rest: looked for from each one, it would take n² steps.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\s()"|]+', re.DOTALL)
MAX_DEPTH = 64
"""Deepest nesting of parentheses and negations."""

AGGREGATES = ("count", "sum", "avg", "min", "max", "uniq", "p50", "p90", "p95", "p99")
_DEFAULT_TOP = 10
_QUOTE = '"'


class _Part(NamedTuple):
    """A filter to be: what follows a field's colon is read before the field is known.

    Depth is counted while parts are joined, so that neither making nor using a query can recurse
    deeper than `MAX_DEPTH`.
    """

    make: Callable[[FieldRef | None], ast.Filter]
    depth: int = 1


class _PlacedPipe(NamedTuple):
    name: Token
    pipe: ast.Pipe


def parse(text: str) -> ast.Query:
    """The query that a text means; the empty text is every record.

    Raises:
        QueryError: the text is no query, or asks of a field what it cannot answer; it carries the
            place, what could have stood there, and a suggestion where there is one.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(
            f"query of {len(text)} characters is too long",
            hint=f"at most {MAX_QUERY_CHARS} are read",
        )
    if sum(1 for _ in _PIECE.finditer(text)) > _MAX_PIECES:
        raise QueryError("too many words", hint=f"at most {MAX_FILTERS} filters are allowed")
    surrogate = re.search(r"[\ud800-\udfff]", text)
    if surrogate is not None:
        raise error_at(text, surrogate.start(), "half of a surrogate pair is not a character")
    try:
        query = cast("ast.Query", _PARSER.parse(text))
    except UnexpectedInput as exc:
        raise syntax_error(text, exc) from exc
    return query


class _Call:
    """A call in a pipe, before it is known whether it may stand there."""

    def __init__(self, name: Token, argument: FieldRef | Token | None) -> None:
        self.name = name
        self.argument = argument

    def __str__(self) -> str:
        return f"{self.name}({'' if self.argument is None else self.argument})"

    def aggregate(self, alias: str) -> ast.Aggregate:
        if self.name not in AGGREGATES:
            unknown(self.name, "function", AGGREGATES)
        if isinstance(self.argument, Token):
            fail(self.argument, f"{self.name}() takes a field", expected=("field name",))
        if self.argument is None and self.name != "count":
            fail(self.name, f"{self.name}() needs a field", hint=f"write {self.name}(duration)")
        return ast.Aggregate(str(self.name), self.argument, alias)

    def bin(self) -> ast.Bin:
        if self.name != "bin":
            unknown(self.name, "function after by", ("bin",))
        if not isinstance(self.argument, Token) or not duration_ns(self.argument):
            fail(self.name, "bin() needs a duration", hint="write bin(1m)", expected=("duration",))
        return ast.Bin(str(self.argument))


@v_args(inline=True)
class _Builder(Transformer[Token, ast.Query]):
    """Runs while the parser reduces, so that no depth of nesting recurses."""

    def __init__(self) -> None:
        super().__init__(visit_tokens=False)

    def start(self, *parts: _Part | _PlacedPipe) -> ast.Query:
        whole = next((part.make(None) for part in parts if isinstance(part, _Part)), None)
        pipes = [part for part in parts if isinstance(part, _PlacedPipe)]
        shape: Shape = None
        for name, pipe in pipes:
            shape = located(name, partial(shape_after, shape, pipe))
        query = ast.Query(whole or ast.Everything(), tuple(pipe for _, pipe in pipes))
        _check_count(query.filter)
        return query

    def or_(self, *parts: _Part) -> _Part:
        return _joined(ast.any_of, parts)

    def and_(self, *parts: _Part) -> _Part:
        return _joined(ast.all_of, parts)

    def negation(self, *parts: Any) -> _Part:
        return _joined(ast.Not, parts[-1:])

    v_or, v_and, v_negation = or_, and_, negation

    def word(self, token: Token) -> _Part:
        text, star = _word(token)
        if star:
            return _leaf(ast.Prefix(text) if text else ast.Everything())
        return _leaf(ast.text_filter(text))

    def phrase(self, token: Token) -> _Part:
        return _leaf(ast.text_filter(_quoted(token)))

    def prefix(self, token: Token) -> _Part:
        text = _quoted(token.update(value=token[:-1]))
        return _leaf(ast.Prefix(text) if text else ast.Everything())

    def regex(self, token: Token) -> _Part:
        return _leaf(_checked(token, _regex(token)))

    def field(self, name: Token, value: _Part) -> _Part:
        ref = located(name, lambda: resolve(name[:-1]))
        return _Part(lambda _: value.make(ref), value.depth)

    def v_word(self, token: Token) -> _Part:
        text, star = _word(token)
        if not star:
            return _matching(token, ast.Equals(text))
        return _matching(token, ast.StartsWith(text) if text else ast.Exists())

    v_negative = v_word

    def v_prefix(self, token: Token) -> _Part:
        text = _quoted(token.update(value=token[:-1]))
        return _matching(token, ast.StartsWith(text) if text else ast.Exists())

    def v_phrase(self, token: Token) -> _Part:
        return _matching(token, ast.Equals(_quoted(token)))

    def v_regex(self, token: Token) -> _Part:
        return _matching(token, _regex(token))

    def v_exact(self, token: Token) -> _Part:
        return _matching(token, ast.Exact(_operand(token)))

    def v_comparison(self, op: Token, token: Token) -> _Part:
        return _matching(token, ast.Comparison(cast("Any", str(op)), _operand(token)))

    def v_range(self, opening: Token, low: Token, high: Token, closing: Token) -> _Part:
        matcher = ast.Range(_end(low), _end(high), opening == "[", closing == "]")
        return _matching(opening, matcher)

    def pipe(self, pipe: _PlacedPipe) -> _PlacedPipe:
        return pipe

    def stats(self, name: Token, *parts: Any) -> _PlacedPipe:
        *aggregates, groups = parts
        return _PlacedPipe(name, ast.Stats(tuple(aggregates), groups or ()))

    def groups(self, *groups: ast.Group) -> tuple[ast.Group, ...]:
        return groups

    def aggregate(self, call: _Call, alias: tuple[Token, FieldRef] | None = None) -> ast.Aggregate:
        return call.aggregate(_alias(alias))

    def group(self, by: Any, alias: tuple[Token, FieldRef] | None = None) -> ast.Group:
        return ast.Group(by.bin() if isinstance(by, _Call) else by[1], _alias(alias))

    def top(self, name: Token, limit: Token | None, *names: tuple[Token, FieldRef]) -> _PlacedPipe:
        count = _DEFAULT_TOP if limit is None else int(limit)
        return _PlacedPipe(name, ast.Top(count, tuple(ref for _, ref in names)))

    def sort(self, name: Token, *keys: ast.SortKey) -> _PlacedPipe:
        return _PlacedPipe(name, ast.Sort(keys))

    def sort_key(self, *parts: Any) -> ast.SortKey:
        column = next(part for part in parts if not isinstance(part, Token))
        marks = {part.type for part in parts if isinstance(part, Token)}
        return ast.SortKey(column[0], bool(marks & {"MINUS", "DESC"}))

    def limit(self, name: Token, count: Token) -> _PlacedPipe:
        return _PlacedPipe(name, ast.Limit(int(count)))

    def fields(self, name: Token, *columns: tuple[str]) -> _PlacedPipe:
        return _PlacedPipe(name, ast.Fields(tuple(column for (column,) in columns)))

    def column(self, part: Any) -> tuple[str]:
        return (str(part if isinstance(part, _Call) else part[1]),)

    def call(self, name: Token, argument: Any) -> _Call:
        return _Call(name, argument[1] if isinstance(argument, tuple) else argument)

    def name(self, token: Token) -> tuple[Token, FieldRef]:
        return token, located(token, lambda: resolve(str(token)))


# Tokens to values


def _alias(alias: tuple[Token, FieldRef] | None) -> str:
    if alias is None:
        return ""
    token = alias[0]
    return _quoted(token) if token.startswith(_QUOTE) else str(token)


def _quoted(token: Token) -> str:
    try:
        return unquote(token)
    except ValueError as exc:
        fail(token, f"unknown escape {exc} in quotes", hint=r"write \\ for a backslash")


def _operand(token: Token) -> str:
    if token.type == "QUOTED":
        return _quoted(token)
    if "*" in token:
        fail(token, "no wildcard can stand here", hint=f"quote it: {quote(token)}")
    return str(token)


def _end(token: Token) -> str | None:
    return _operand(token) if token.strip("*") or token.type == "QUOTED" else None


def _word(token: Token) -> tuple[str, bool]:
    """A bare word and whether it ended in ``*``."""
    if token.startswith("!"):
        fail(token, "! has no meaning here", hint=f"write NOT, or quote it: {quote(token)}")
    text = token[:-1] if token.endswith("*") else str(token)
    if "*" in text:
        fail(
            token,
            "* can only end a word",
            hint=f"quote it: {quote(token)}, or use a regex between slashes",
        )
    return text, text != token


def _regex(token: Token) -> ast.Regex:
    body, _, flags = token[1:].rpartition("/")
    pattern = re.sub(r"\\(.)", lambda m: "/" if m[1] == "/" else str(m[0]), body, flags=re.DOTALL)
    return ast.Regex(pattern, flags == "i")


def _leaf(leaf: ast.Filter) -> _Part:
    return _Part(lambda _: leaf)


def _matching(token: Token, matcher: ast.Matcher) -> _Part:
    # The grammar has values only behind a field's name.
    return _Part(lambda ref: _checked(token, ast.FieldFilter(cast("FieldRef", ref), matcher)))


def _joined(join: Callable[..., ast.Filter], parts: tuple[_Part, ...]) -> _Part:
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise QueryError(f"nested deeper than {MAX_DEPTH} levels")
    return _Part(lambda ref: join(*(part.make(ref) for part in parts)), depth)


# Limits and checks


def _checked(token: Token, checked: ast.Filter) -> ast.Filter:
    located(token, lambda: check_filter(checked))
    return checked


def _check_count(whole: ast.Filter) -> None:
    waiting, seen = [whole], 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if isinstance(node, ast.Not):
            waiting.append(node.filter)
        elif isinstance(node, ast.And | ast.Or):
            waiting.extend(node.filters)
    if seen > MAX_FILTERS:
        raise QueryError(f"{seen} filters are too many", hint=f"at most {MAX_FILTERS} are allowed")


_PARSER = Lark(
    resources.files("logstream.query").joinpath("grammar.lark").read_text("utf-8"),
    parser="lalr",
    lexer="contextual",
    transformer=_Builder(),
)
