"""The pieces that MongoDB query documents are made of: keys, combinations, literal text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote, unquote

from logstream.query.text import is_token_char

__all__ = [
    "NOTHING",
    "Document",
    "absent",
    "all_conditions",
    "any_condition",
    "literal_pattern",
    "negation",
    "present",
    "quote_key",
    "starts_with",
    "unquote_key",
]

Document: TypeAlias = dict[str, Any]
"""A MongoDB query document. ``{}`` is every document."""

NOTHING: Document = {"_id": {"$in": []}}
"""No document."""

_SEPARATOR = r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]"
_TO_QUOTED = str.maketrans({"%": "%25", ".": "%2E", "$": "%24", "\0": "%00"})


@lru_cache(maxsize=16_384)
def quote_key(key: str) -> str:
    """An attribute's key as a field name that MongoDB takes and paths can reach.

    As in a URL: ``%``, ``.``, ``$``, NUL, and white space at either end, become ``%`` and two
    hexadecimal digits a byte. The empty key becomes ``%``. Everything else stays as it is.
    """
    name = key.translate(_TO_QUOTED)
    inner = name.strip()
    if len(inner) < len(name):
        start, end = name.index(inner), name.index(inner) + len(inner)
        name = quote(name[:start], safe="") + inner + quote(name[end:], safe="")
    return name or "%"


@lru_cache(maxsize=16_384)
def unquote_key(name: str) -> str:
    """The key that `quote_key` made this of."""
    return "" if name == "%" else unquote(name, errors="strict")


def all_conditions(conditions: Iterable[Document]) -> Document:
    """The document that asks for all of them."""
    parts = [each for each in conditions if each]
    if NOTHING in parts:
        return NOTHING
    return {} if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def any_condition(conditions: Iterable[Document]) -> Document:
    """The document that asks for any of them."""
    parts = [each for each in conditions if each != NOTHING]
    if {} in parts:
        return {}
    return NOTHING if not parts else parts[0] if len(parts) == 1 else {"$or": parts}


def negation(condition: Document) -> Document:
    """The document that asks for all others."""
    if not condition:
        return NOTHING
    return {} if condition == NOTHING else {"$nor": [condition]}


def absent(path: str) -> Document:
    """Nothing is there."""
    return {path: {"$exists": False}}


def present(path: str) -> Document:
    """Something is there."""
    return {path: {"$exists": True}}


def starts_with(path: str, prefix: str) -> Document:
    """The texts that start so, as a range that an index can read; texts sort by code point."""
    bounds = {"$gte": prefix}
    after = _after_prefix(prefix)
    if after:
        bounds["$lt"] = after
    return {path: bounds}


def _after_prefix(prefix: str) -> str:
    """The first text behind all that start so; ``""``: there is none."""
    head = prefix.rstrip("\U0010ffff")
    if not head:
        return ""
    last = "\ue000" if head[-1] == "\ud7ff" else chr(ord(head[-1]) + 1)
    return head[:-1] + last


def literal_pattern(text: str, *, whole: bool) -> str:
    """`matching.HasText` as a pattern. Both case of ASCII letters are spelled out: an engine's own
    idea of case would make ``k`` match the Kelvin sign."""
    before = f"(?:^|{_SEPARATOR})" if text and is_token_char(text[0]) else ""
    after = f"(?:{_SEPARATOR}|$)" if text and whole and is_token_char(text[-1]) else ""
    return f"{before}{''.join(map(_literal, text))}{after}"


def _literal(char: str) -> str:
    if char >= "\x80" or char.isdigit():
        return char
    if char.isalpha():
        return f"[{char.lower()}{char.upper()}]"
    return f"\\x{ord(char):02x}"
