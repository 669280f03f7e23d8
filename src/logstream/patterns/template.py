"""What a group of messages has in common, as text, as parts for a page, and as a query's filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from logstream.patterns.masking import KINDS, WILD, Kind, Word, regex_text
from logstream.query import Regex

__all__ = [
    "Part",
    "Template",
    "Token",
    "TokenCount",
    "ValueCounts",
    "kinds_of",
    "parts_of",
    "pattern_of",
]

MAX_VALUES = 100
"""Different values of a token that are counted; further ones are counted together."""
MAX_VALUE_CHARS = 200
REST = "…"
"""Stands in a template's text for what was not looked at."""


class Part(msgspec.Struct, frozen=True):
    """A piece of a template: text, or the number of one of its tokens."""

    text: str
    token: int | None = None


class TokenCount(msgspec.Struct, frozen=True):
    """In how many messages a token stood for a value; values are cut to `MAX_VALUE_CHARS`."""

    value: str
    count: int


class Token(msgspec.Struct, frozen=True):
    """Where messages differ. ``kind`` is a name of `masking.KINDS`; ``values`` are the commonest,
    ties by value; ``distinct`` says how many there are, ``more``: only that there are so many."""

    kind: str
    values: tuple[TokenCount, ...]
    distinct: int
    more: bool


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that are alike, and what was seen of them in the sample.

    ``pattern`` is RE2 and matches each of these messages as a whole, or its beginning when
    ``open``. ``literals``: characters of text in it. ``services`` counts messages.
    """

    parts: tuple[Part, ...]
    tokens: tuple[Token, ...]
    pattern: str
    open: bool
    literals: int
    count: int
    services: Mapping[str, int]
    example: str

    @property
    def text(self) -> str:
        """The template as people read it: ``user <*> took <duration>``."""
        return "".join(
            part.text if part.token is None else f"<{self.tokens[part.token].kind}>"
            for part in self.parts
        )

    @property
    def filter(self) -> Regex:
        """Finds the messages that it stands for."""
        return Regex(self.pattern)


class ValueCounts:
    """How often a token stood for which value, in bounded memory."""

    __slots__ = ("counts", "more", "path", "url")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.more = False
        self.path = self.url = True

    def add(self, value: str) -> None:
        """Count one."""
        self.path = self.path and value.startswith("/")
        self.url = self.url and value.startswith(("http://", "https://"))
        value = value[:MAX_VALUE_CHARS]
        if value in self.counts or len(self.counts) < MAX_VALUES:
            self.counts[value] += 1
        else:
            self.more = True

    def token(self, kind: Kind) -> Token:
        """What is known of the token."""
        ranked = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        values = tuple(TokenCount(*each) for each in ranked)
        return Token(kind.name, values, len(ranked), self.more)

    def kind(self, kind: Kind) -> Kind:
        """A narrower kind where all values are of it."""
        if kind is WILD and self.counts:
            return KINDS["path"] if self.path else KINDS["url"] if self.url else kind
        return kind


def kinds_of(words: Sequence[Word]) -> list[Kind]:
    """The tokens' kinds, in their order."""
    return [piece for word in words for piece in word if isinstance(piece, Kind)]


def pattern_of(
    words: Sequence[Word],
    gaps: Sequence[str],
    kinds: Sequence[Kind],
    *,
    open: bool,
    capture: bool = False,
) -> str:
    """The regular expression of a group; with ``capture`` each token is a group of its own."""
    named = iter(kinds)

    def piece_regex(piece: str | Kind, *, alone: bool) -> str:
        if isinstance(piece, str):
            return regex_text(piece)
        kind = next(named)
        regex = r"\S+" if kind is WILD and alone else kind.regex
        return f"({regex})" if capture else regex

    pieces = ["^"]
    for gap, word in zip(gaps, words, strict=False):
        pieces.append(gap)
        if isinstance(word, str):
            pieces.append(regex_text(word))
        else:
            pieces += (piece_regex(piece, alone=len(word) == 1) for piece in word)
    return "".join(pieces) + ("" if open else f"{gaps[-1]}$")


def parts_of(words: Sequence[Word], *, open: bool) -> Iterator[Part]:
    """The template's parts: text and tokens, one space for any white space."""
    text, number = "", 0
    for at, word in enumerate(words):
        text += " " if at else ""
        for piece in (word,) if isinstance(word, str) else word:
            if isinstance(piece, str):
                text += piece
                continue
            if text:
                yield Part(text)
            yield Part("", number)
            text, number = "", number + 1
    text += REST if open else ""
    if text:
        yield Part(text)
