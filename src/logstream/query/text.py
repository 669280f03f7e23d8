"""Text as the query language sees it: tokens, ASCII case, quoting, numbers.

A *token* is a longest run of ASCII letters, ASCII digits and characters beyond ASCII; everything
else, the underscore included, separates. That is how ClickHouse's ``hasToken`` and its token
index split text, byte by byte, so both sides agree on every string.
"""

from __future__ import annotations

import math
import re

__all__ = [
    "UNSIGNED_NUMBER",
    "is_token",
    "is_token_char",
    "lower_ascii",
    "number_of",
    "quote",
    "tokens",
    "unquote",
]

_TOKEN = re.compile(r"[A-Za-z0-9\x80-\U0010ffff]+")
UNSIGNED_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""Pattern of `number_of` without the sign. No two parts can take the same digits: a long text
that is almost a number costs one look at each character."""
_NUMBER = re.compile(f"[+-]?{UNSIGNED_NUMBER}")
_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}

_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_NEEDS_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f\x85\u2028\u2029]')
_SHORT_ESCAPES = {value: f"\\{letter}" for letter, value in _ESCAPES.items() if letter != "0"}


def lower_ascii(text: str) -> str:
    """The text with A–Z lowered and nothing else touched, as ClickHouse's ``lower`` does."""
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


def is_token_char(char: str) -> bool:
    """Whether the character belongs to a token; any other one separates tokens."""
    return char >= "\x80" or (char.isalnum() and char.isascii())


def is_token(text: str) -> bool:
    """Whether the whole text is one token."""
    return _TOKEN.fullmatch(text) is not None


def tokens(text: str) -> list[str]:
    """The tokens of the text, in order, case kept."""
    return _TOKEN.findall(text)


def number_of(text: str) -> float | None:
    """The number that a text is, or ``None``.

    A number is an optional sign, decimal digits with at most one point, and an optional exponent:
    ``500``, ``-1.5``, ``.5``, ``5.``, ``1e-3``. No surrounding spaces, no hexadecimal, no digit
    groups, no ``inf`` or ``nan``, nothing beyond what 64 bits hold: all of those are plain text.
    """
    if _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def quote(value: str) -> str:
    """The value in double quotes, escaped so that the parser reads exactly it."""
    return f'"{_NEEDS_ESCAPE.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04x}"


def unquote(literal: str) -> str:
    r"""What a quoted literal means: ``\" \\ \n \t \r \0`` and ``\uXXXX`` are escapes.

    Raises:
        ValueError: an unknown escape; its only argument is that escape.
    """
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(match: re.Match[str]) -> str:
    code, letter = match.groups()
    if code is not None:
        char = chr(int(code, 16))
        if not "\ud800" <= char <= "\udfff":
            return char
    elif letter in _ESCAPES:
        return _ESCAPES[letter]
    raise ValueError(match[0])
