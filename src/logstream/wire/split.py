"""A body → parts small enough that decoding one never keeps the event loop for long.

A body is told by its first character: ``[`` is an array of records, anything else is records one
after another, usually one a line. A part holds whole records only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

__all__ = ["PART_BYTES", "Array", "Elements", "Lines", "Part", "elements", "parts"]

PART_BYTES = 512 << 10
"""About what one part holds; a longer record is a part of its own."""

_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_BETWEEN_OBJECTS = re.compile(rb"\}[ \t\r\n]*+,[ \t\r\n]*+\{")
_CUTS_TRIED = 8
# Possessive, so that an unclosed string costs one pass and not one for each way to split it.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_check_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Lines(msgspec.Struct, frozen=True):
    """JSON values one after another, as a rule one a line."""

    data: bytes


class Array(msgspec.Struct, frozen=True):
    """One JSON array."""

    data: bytes


class Elements(msgspec.Struct, frozen=True):
    """The elements of an array that is not valid as a whole, each by itself."""

    items: list[bytes]


Part = Lines | Array | Elements


def parts(body: bytes, part_bytes: int = PART_BYTES) -> Iterator[Part]:
    """The records of a body in order, about ``part_bytes`` at a time."""
    body = body.removeprefix(_BOM)
    head = body[:1] if body[:1] in (b"{", b"[") else body[:4096].lstrip(_SPACE)[:1]
    if head == b"[":
        yield from _array_parts(body, part_bytes)
    elif len(body) <= 2 * part_bytes:
        yield Lines(body)
    else:
        yield from _line_parts(body, part_bytes)


def _line_parts(body: bytes, part_bytes: int) -> Iterator[Part]:
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + part_bytes) + 1
        if end == 0:
            end = len(body)
        yield Lines(body[start:end])
        start = end


def _array_parts(body: bytes, part_bytes: int) -> Iterator[Part]:
    start = body.index(b"[") + 1
    if len(body) <= 2 * part_bytes:
        yield Array(body)
        return
    while len(body) - start > 2 * part_bytes:
        cut = _cut(body, start, part_bytes)
        if cut is None:
            yield from _element_parts(body[start:], part_bytes)
            return
        end, next_start = cut
        yield Array(b"[" + body[start:end] + b"]")
        start = next_start
    yield Array(b"[" + body[start:])


def _cut(body: bytes, start: int, part_bytes: int) -> tuple[int, int] | None:
    """Where the elements from ``start`` can be cut.

    ``}, {`` also stands inside strings and nested arrays; but what begins between two elements
    and is a valid array when closed at the cut also ends between two elements.
    """
    for tried, match in enumerate(_BETWEEN_OBJECTS.finditer(body, start + part_bytes)):
        if tried == _CUTS_TRIED:
            break
        end = match.start() + 1
        try:
            _check_array(b"[" + body[start:end] + b"]")
        except (msgspec.DecodeError, RecursionError):
            continue
        return end, match.end() - 1
    return None


def _element_parts(inner: bytes, part_bytes: int) -> Iterator[Part]:
    items: list[bytes] = []
    size = 0
    for item in elements(inner):
        items.append(item)
        size += len(item) + 64
        if size >= part_bytes:
            yield Elements(items)
            items, size = [], 0
    if items:
        yield Elements(items)


def elements(inner: bytes) -> Iterator[bytes]:
    """What stands between the commas of an array whose opening bracket is cut off.

    An array that ends early gives its last, broken element too. What follows the closing bracket
    is one more (broken) element, unless it is only white space.
    """
    depth, start, closed = 0, 0, False
    for match in _TOKEN.finditer(inner):
        token = match[0]
        if token in (b"{", b"["):
            depth += 1
        elif token == b"," and depth == 0:
            yield inner[start : match.start()].strip(_SPACE)
            start = match.end()
        elif token in (b"}", b"]"):
            depth -= 1
            if depth < 0:
                closed = True
                if last := inner[start : match.start()].strip(_SPACE):
                    yield last
                start = match.end()
                break
    rest = inner[start:].strip(_SPACE)
    if rest or not closed:
        yield rest
