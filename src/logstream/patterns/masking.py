"""A message as words, with what varies by its nature masked: numbers, times, addresses, ids.

Each character is looked at a bounded number of times, whatever the text: masks begin only where
no letter or digit stands before, and none of them goes back over what it took. Messages are read
to `MAX_CHARS`, and to as many words as a regular expression of ours can hold.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

__all__ = ["KINDS", "MAX_CHARS", "WILD", "Kind", "Shape", "Word", "read_shape", "regex_text"]

MAX_CHARS = 2_000
"""Characters of a message that are looked at."""
MAX_WORDS = 64
MAX_REGEX_CHARS = 900
"""Longest regular expression of a template: below what the query language takes."""


class Kind:
    """What a token is. ``regex`` (RE2) matches every text that is masked so, and to stay short a
    few more. None of these texts holds white space."""

    __slots__ = ("name", "regex")

    def __init__(self, name: str, regex: str) -> None:
        self.name = name
        self.regex = regex

    def __repr__(self) -> str:
        return f"<{self.name}>"


KINDS = {
    kind.name: kind
    for kind in (
        Kind("time", r"\d{2,4}[-:]\d\d[-:]\d\d[\dTZ:.,+-]*"),
        Kind("uuid", r"[\da-fA-F-]{36}"),
        Kind("ip", r"\d+(?:\.\d+){3}"),
        Kind("duration", r"(?:[\d.]+(?:[num]?s|µs|[mh]))+"),
        Kind("size", r"[\d.]+[kKMGTP]?i?B"),
        Kind("hex", r"(?:0[xX])?[\da-fA-F]+"),
        Kind("num", r"[+-]?[\d.]+"),
        Kind("path", r"/\S*"),
        Kind("url", r"https?://\S*"),
        Kind("*", r"\S*"),
    )
}
WILD = KINDS["*"]

Word: TypeAlias = "str | tuple[str | Kind, ...]"
"""Text without white space, or such text in pieces of which some are masked."""


class Shape(NamedTuple):
    """What is left of a message without what its tokens stand for.

    ``gaps`` are regular expressions of the white space before each word and, unless the shape is
    ``open``, behind the last: an open one went on where reading it stopped.
    """

    words: tuple[Word, ...]
    gaps: tuple[str, ...]
    open: bool


_DIGIT, _HEX = "[0-9]", "[0-9A-Fa-f]"
_ZONE = rf"(?:Z|[+-]{_DIGIT}{{2}}:?{_DIGIT}{{2}})?"
_CLOCK = rf"{_DIGIT}{{2}}:{_DIGIT}{{2}}:{_DIGIT}{{2}}(?:[.,]{_DIGIT}{{1,9}})?"
_NUMBER = rf"{_DIGIT}++(?:\.{_DIGIT}++)?"
_MASK = re.compile(
    "(?<![0-9A-Za-z])(?:"
    + "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "time": rf"{_DIGIT}{{4}}-{_DIGIT}{{2}}-{_DIGIT}{{2}}(?:T{_CLOCK}{_ZONE})?|{_CLOCK}",
            "uuid": rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}",
            "ip": rf"{_DIGIT}{{1,3}}(?:\.{_DIGIT}{{1,3}}){{3}}",
            "duration": rf"(?:{_NUMBER}(?:[num]?s|µs|[mh]))++",
            "size": rf"{_NUMBER}[kKMGTP]?i?B",
            # Letters alone may be a word, digits alone are a number.
            "hex": rf"0[xX]{_HEX}++|(?=[A-Fa-f]*+[0-9])(?=[0-9]*+[A-Fa-f]){_HEX}{{6,}}+",
            "num": rf"[+-]?{_NUMBER}",
        }.items()
    )
    + ")(?![0-9A-Za-z])"
)
# The white space of RE2's \s: Python's own has more.
_SPACES = " \t\n\f\r"
_SPACE = re.compile(f"[{_SPACES}]+")
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$\x00-\x1f\x7f]")


def regex_text(text: str) -> str:
    """The regular expression that matches exactly this text, in few letters."""
    return _SPECIAL.sub(
        lambda match: f"\\{match[0]}" if match[0] > " " and match[0] < "\x7f" else
        f"\\x{ord(match[0]):02x}",
        text,
    )  # fmt: skip


class _Reader:
    """Collects pieces into words."""

    __slots__ = ("current", "gaps", "words")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.gaps: list[str] = []
        self.current: list[str | Kind] = []

    def literal(self, text: str) -> None:
        """Text between two masks."""
        at = 0
        for space in _SPACE.finditer(text):
            if space.start() > at:
                self.current.append(text[at : space.start()])
            self.end_word()
            self.gaps.append(" " if space[0] == " " else r"\s+")
            at = space.end()
        if at < len(text):
            self.current.append(text[at:])

    def end_word(self) -> None:
        """White space, or the end."""
        first, *more = self.current or ("",)
        self.words.append(first if isinstance(first, str) and not more else (first, *more))
        self.current = []


def read_shape(message: str) -> Shape:
    """The message without what varies."""
    text = message[:MAX_CHARS]
    body = text.strip(_SPACES)
    before, after = (
        r"\s*" if end in _SPACES else "" for end in (text[:1] or "x", text[-1:] or "x")
    )
    if not body:
        # White space alone, all of it as far as it was read.
        return Shape((), (before,), open=len(message) > MAX_CHARS)
    reader, at = _Reader(), 0
    for mask in _MASK.finditer(body):
        if mask.start() > at:
            reader.literal(body[at : mask.start()])
        reader.current.append(KINDS[mask.lastgroup or "*"])
        at = mask.end()
    reader.literal(body[at:])
    reader.end_word()
    gaps = (before, *reader.gaps, after)
    return _bounded(tuple(reader.words), gaps, cut=len(message) > MAX_CHARS)


def _bounded(words: tuple[Word, ...], gaps: tuple[str, ...], *, cut: bool) -> Shape:
    """As much of it as a regular expression has room for."""
    fits, room = 0, MAX_REGEX_CHARS
    for word in words[:MAX_WORDS]:
        room -= _cost(word)
        if room < 0:
            break
        fits += 1
    if cut and fits == len(words) and not gaps[-1]:
        fits -= 1  # the last word may have gone on
    if fits == len(words) and not cut:
        return Shape(words, gaps, open=False)
    # That there is a word is all that can be said of one that is too long.
    some = words[:fits] or ((WILD,),)
    return Shape(some, gaps[: len(some)], open=True)


def _cost(word: Word) -> int:
    """Characters that the word may take in a regular expression, now or once it is generalised."""
    pieces = (word,) if isinstance(word, str) else word
    length = sum(len(p.regex if isinstance(p, Kind) else regex_text(p)) for p in pieces)
    return max(length, len(KINDS["url"].regex)) + len(r"\S*") + len(r"\s+")
