"""A query as a value, and the meaning of every node. ``str(node)`` is its canonical text.

``parse(str(query)) == query`` for every query that `parse` can return. Nodes hold no SQL and no
records; `logstream.query.evaluate` says in Python what each matches, and that is the truth.

**Text in messages** (`Word`, `Phrase`, `Prefix`, and ``message:…``)
    ignores the case of ASCII letters only and respects token boundaries. A token is a longest run
    of ASCII letters, digits and non-ASCII characters (``_`` separates). A `Word` is one token. A
    `Phrase` is literal text, found adjacent as written, that neither starts nor ends inside a
    token: ``node-12`` does not match ``node-123``. A `Prefix` is the same without the condition on
    its end.
**Regular expressions** (`Regex`)
    are RE2's, unanchored, case-sensitive unless flagged; ``.`` matches a newline too, ``^`` and
    ``$`` are the text's ends.
**Fields** (`FieldFilter`)
    A record that lacks the attribute matches no matcher, so ``NOT field:x`` matches it.
    `Equals` is equality of the whole text, case-sensitive, with three exceptions: on ``message`` it
    is a word or phrase, on ``level`` a severity (any name or number that `severity` knows; a
    level's own name covers its four numbers; ``""`` is "not given"), on ``timestamp`` a moment.
    `Exact` is equality of the whole text on ``message`` too. `StartsWith` is case-sensitive except
    on ``message``, where it is a `Prefix`, and on ``level``.
    `Comparison` and `Range` compare numbers: a record's text counts as a number as `text.number_of`
    says and otherwise never matches; on ``level`` they compare severities and never match a record
    without one; on ``timestamp`` they compare moments.
    `Exists` matches attributes that are there, even with an empty value, and columns that are not
    empty (``""``, for numbers 0).
**Pipes** work on rows. Records come newest first. `Stats` gives one row a group, ordered by the
    group's values, and exactly one row when there is no ``by``. Only `Sort` changes the order; rows
    that compare equal keep no particular order, and absent values come last either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

import msgspec

from logstream.query.fields import Attribute, FieldRef, Kind, resolve
from logstream.query.text import is_token, quote

__all__ = [
    "Aggregate",
    "And",
    "Bin",
    "Comparison",
    "Equals",
    "Everything",
    "Exact",
    "Exists",
    "FieldFilter",
    "Fields",
    "Filter",
    "Group",
    "Limit",
    "Matcher",
    "Not",
    "Or",
    "Phrase",
    "Pipe",
    "Prefix",
    "Query",
    "Range",
    "Regex",
    "Sort",
    "SortKey",
    "StartsWith",
    "Stats",
    "Top",
    "Word",
    "all_of",
    "any_of",
    "field_equals",
    "text_filter",
]

_BARE_VALUE = re.compile(r"\w[\w.@/+-]*")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "TO"})
_PIPE_WORDS = frozenset({"as", "asc", "by", "desc"})


def _value(text: str) -> str:
    bare = _BARE_VALUE.fullmatch(text) is not None and text not in _KEYWORDS
    return text if bare else quote(text)


# Text anywhere in the message


class Everything(msgspec.Struct, frozen=True):
    """``*``: every record."""

    def __str__(self) -> str:
        return "*"


class Word(msgspec.Struct, frozen=True):
    """``timeout``: the message has this token. ``text`` is one token."""

    text: str

    def __str__(self) -> str:
        return _value(self.text)


class Phrase(msgspec.Struct, frozen=True):
    """``"connection refused"``, ``/api/v1``: the message has this text. Not one token."""

    text: str

    def __str__(self) -> str:
        return _value(self.text)


class Prefix(msgspec.Struct, frozen=True):
    """``time*``: the message has a token, or literal text, that starts so. Not empty."""

    text: str

    def __str__(self) -> str:
        return f"{_value(self.text)}*"


class Regex(msgspec.Struct, frozen=True):
    r"""``/time(d )?out/i``: RE2 pattern; a filter on the message, or a matcher of a field."""

    pattern: str
    ignore_case: bool = False

    def __str__(self) -> str:
        body = re.sub(r"\\.|/", _escape_slash, self.pattern, flags=re.DOTALL)
        return f"/{body}/{'i' if self.ignore_case else ''}"


def _escape_slash(match: re.Match[str]) -> str:
    return r"\/" if match[0] == "/" else match[0]


# What a field's value must be


class Equals(msgspec.Struct, frozen=True):
    """``field:value``: equality in the field's own sense."""

    text: str

    def __str__(self) -> str:
        return _value(self.text)


class Exact(msgspec.Struct, frozen=True):
    """``field:="value"``: the whole text, also of the message."""

    text: str

    def __str__(self) -> str:
        return f"={_value(self.text)}"


class StartsWith(msgspec.Struct, frozen=True):
    """``field:val*``. Not empty."""

    text: str

    def __str__(self) -> str:
        return f"{_value(self.text)}*"


class Comparison(msgspec.Struct, frozen=True):
    """``field:>=500``; ``operand`` is kept as written."""

    op: Literal["<", "<=", ">", ">="]
    operand: str

    def __str__(self) -> str:
        return f"{self.op}{_value(self.operand)}"


class Range(msgspec.Struct, frozen=True):
    """``field:[1 TO 5]`` with both ends, ``{1 TO 5}`` without; ``None``: open (written ``*``)."""

    low: str | None
    high: str | None
    include_low: bool = True
    include_high: bool = True

    def __str__(self) -> str:
        low = "*" if self.low is None else _value(self.low)
        high = "*" if self.high is None else _value(self.high)
        opening, closing = "[" if self.include_low else "{", "]" if self.include_high else "}"
        return f"{opening}{low} TO {high}{closing}"


class Exists(msgspec.Struct, frozen=True):
    """``field:*``."""

    def __str__(self) -> str:
        return "*"


Matcher: TypeAlias = Equals | Exact | StartsWith | Regex | Comparison | Range | Exists
"""What a field's value must be."""


class FieldFilter(msgspec.Struct, frozen=True):
    """``field:matcher``."""

    field: FieldRef
    matcher: Matcher

    def __str__(self) -> str:
        return f"{self.field}:{self.matcher}"


# Combinations


class Not(msgspec.Struct, frozen=True):
    """``NOT filter``, ``-filter``."""

    filter: Filter

    def __str__(self) -> str:
        return f"NOT {_operand(self.filter)}"


class And(msgspec.Struct, frozen=True):
    """All of two or more filters, none of them an `And`; make it with `all_of`."""

    filters: tuple[Filter, ...]

    def __str__(self) -> str:
        return " ".join(map(_operand, self.filters))


class Or(msgspec.Struct, frozen=True):
    """Any of two or more filters, none of them an `Or`; make it with `any_of`."""

    filters: tuple[Filter, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_operand, self.filters))


def _operand(operand: Filter) -> str:
    return f"({operand})" if isinstance(operand, And | Or) else str(operand)


Filter: TypeAlias = Everything | Word | Phrase | Prefix | Regex | FieldFilter | Not | And | Or
"""What a record must be."""


# Pipes


def _named(text: str, alias: str) -> str:
    if not alias:
        return text
    bare = re.fullmatch(r"[^\W\d]\w*", alias) is not None and alias not in _PIPE_WORDS
    return f"{text} as {alias if bare else quote(alias)}"


class Aggregate(msgspec.Struct, frozen=True):
    """One value a group: ``count()``, ``p95(duration) as slow``. ``alias`` may be empty.

    ``function`` is one of count sum avg min max uniq p50 p90 p95 p99; only count needs no field.
    """

    function: str
    field: FieldRef | None = None
    alias: str = ""

    @property
    def column(self) -> str:
        """Name of the result's column: the alias, or the call as written, as in ``avg(x)``."""
        return self.alias or self._call()

    def _call(self) -> str:
        return f"{self.function}({'' if self.field is None else self.field})"

    def __str__(self) -> str:
        return _named(self._call(), self.alias)


class Bin(msgspec.Struct, frozen=True):
    """``bin(1m)``: the record's time, cut to a multiple of a width since 1970 (UTC)."""

    width: str
    """As written: a duration such as ``1m``, ``30s``, ``1h30m``."""

    def __str__(self) -> str:
        return f"bin({self.width})"


class Group(msgspec.Struct, frozen=True):
    """One thing to group by, with the name of its column."""

    by: FieldRef | Bin
    alias: str = ""

    @property
    def column(self) -> str:
        """Name of the result's column."""
        return self.alias or str(self.by)

    def __str__(self) -> str:
        return _named(str(self.by), self.alias)


class Stats(msgspec.Struct, frozen=True):
    """``| stats count(), avg(x) by service, bin(1m)``; columns: the groups, then the aggregates."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Group, ...] = ()

    def __str__(self) -> str:
        by = f" by {', '.join(map(str, self.by))}" if self.by else ""
        return f"stats {', '.join(map(str, self.aggregates))}{by}"


class Top(msgspec.Struct, frozen=True):
    """``| top 10 f``: the commonest values of fields among the rows that have them all.

    Columns: the fields, then ``count``; ordered by count descending, then by the fields.
    """

    limit: int
    fields: tuple[FieldRef, ...]

    def __str__(self) -> str:
        return f"top {self.limit} {', '.join(map(str, self.fields))}"


class SortKey(msgspec.Struct, frozen=True):
    """``column`` is query text: a field's name, or that of a column so far, such as ``count()``."""

    column: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{self.column}{' desc' if self.descending else ''}"


class Sort(msgspec.Struct, frozen=True):
    """``| sort by x desc, y`` or ``| sort -x, y``.

    Numbers sort as numbers and before other text, levels by severity, text by code point.
    """

    keys: tuple[SortKey, ...]

    def __str__(self) -> str:
        return f"sort {', '.join(map(str, self.keys))}"


class Limit(msgspec.Struct, frozen=True):
    """``| limit 5``: the first rows only."""

    limit: int

    def __str__(self) -> str:
        return f"limit {self.limit}"


class Fields(msgspec.Struct, frozen=True):
    """``| fields a, b``: these columns only, in this order; query text as in `SortKey`."""

    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"fields {', '.join(self.columns)}"


Pipe: TypeAlias = Stats | Top | Sort | Limit | Fields
"""A step from rows to rows."""


class Query(msgspec.Struct, frozen=True):
    """A filter, then pipes from left to right."""

    filter: Filter = Everything()
    pipes: tuple[Pipe, ...] = ()

    def __str__(self) -> str:
        return " | ".join((str(self.filter), *map(str, self.pipes)))


# Builders


def all_of(*filters: Filter) -> Filter:
    """The filters' `And`, flattened; one filter is itself, none is `Everything`."""
    flat = tuple(_flatten(And, filters))
    return flat[0] if len(flat) == 1 else And(flat) if flat else Everything()


def any_of(*filters: Filter) -> Filter:
    """The filters' `Or`, flattened; one filter is itself, none matches nothing."""
    flat = tuple(_flatten(Or, filters))
    return flat[0] if len(flat) == 1 else Or(flat) if flat else Not(Everything())


def _flatten(kind: type[And | Or], filters: Iterable[Filter]) -> Iterable[Filter]:
    for each in filters:
        if isinstance(each, kind):
            yield from each.filters
        else:
            yield each


def text_filter(text: str) -> Word | Phrase:
    """The message has this word or literal text."""
    return Word(text) if is_token(text) else Phrase(text)


def field_equals(field: str | FieldRef, value: str) -> FieldFilter:
    """The filter for "this field has exactly this value", for click-to-filter.

    ``str()`` of it is query text that parses to it whatever the value holds. Give a `FieldRef`
    (`fields.attribute`) for a key that comes from data; a name is resolved as if typed.

    Raises:
        QueryError: the name is no field's name.
    """
    ref = resolve(field) if isinstance(field, str) else field
    column = ref.fallback if isinstance(ref, Attribute) else ref
    on_message = column is not None and column.kind is Kind.MESSAGE
    return FieldFilter(ref, Exact(value) if on_message else Equals(value))
