"""JSON values as attribute texts, and nested objects as one level of dotted keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["Digits", "TooDeep", "add", "check_depth", "flatten", "json_text", "text_of"]

_encode = msgspec.json.Encoder().encode


class Digits(str):
    """A JSON number with a fraction or an exponent, as it was sent (``1.50``, ``1e400``)."""

    __slots__ = ()


class TooDeep(Exception):
    """Nested beyond the limit."""


def text_of(value: Any) -> str:
    """A JSON value as the text of an attribute: numbers as sent, ``null`` as ``""``."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]  # its type was just compared
    if kind is Digits:
        return str(value)
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    return json_text(value)


def json_text(value: Any) -> str:
    """A JSON value as compact JSON, numbers with the digits they were sent with."""
    return _encode(_sendable(value)).decode()


def _sendable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    if isinstance(value, Digits):
        return msgspec.Raw(str(value))
    # JSON numbers have no limit, the encoder's integers have.
    return msgspec.Raw(str(value)) if type(value) is int else value


def flatten(prefix: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Dotted key and leaf of everything in ``value``; an empty object is a leaf.

    Raises:
        TooDeep: nested deeper than ``depth`` objects or arrays.
    """
    if not isinstance(value, dict) or not value:
        if isinstance(value, list):
            check_depth(value, depth)
        yield prefix, value
        return
    if depth <= 0:
        raise TooDeep
    for key, item in value.items():
        yield from flatten(f"{prefix}.{key}" if prefix else key, item, depth - 1)


def check_depth(value: Any, depth: int) -> None:
    """Raise `TooDeep` when ``value`` nests deeper than ``depth`` objects or arrays."""
    if isinstance(value, (dict, list)) and value:
        if depth <= 0:
            raise TooDeep
        for item in value.values() if isinstance(value, dict) else value:
            check_depth(item, depth - 1)


def add(attributes: dict[str, str], key: str, text: str) -> None:
    """Add one attribute; where its key is taken by another text it becomes ``key.2``, ``key.3``."""
    free, n = key, 1
    while attributes.setdefault(free, text) != text:
        n += 1
        free = f"{key}.{n}"
