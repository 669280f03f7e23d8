"""JSON objects in a stream of bytes, however they are laid out: over several lines, several on a
line, in an array, with commas between them.

Outside of objects white space, commas and square brackets mean nothing, so that reading may begin
behind any object. Whatever else stands there is lines of text, and so is an object that never
ends: the next one that begins at its column tells, or its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from logstream.cli.formats import RawLine

__all__ = ["documents", "has_documents"]

_LONGEST_BYTES = 8 << 20
_BETWEEN = re.compile(rb"(?:[\s,\[\]]|\xef\xbb\xbf)*+")
_TOKEN = re.compile(rb'^[ \t]*+\{|["{}]', re.MULTILINE)
_STRING = re.compile(rb'(?:[^"\\\n]|\\.)*+')
_LINE = re.compile(rb"[^\n]+\n?|\n")
_BEGUN = re.compile(rb'\{\s*"(?:[^"\\\n]|\\.)*+"\s*:')
_BRACE, _NEWLINE = ord("{"), ord("\n")


def documents(pieces: Iterable[bytes | None], start: int = 0) -> Iterator[RawLine | None]:
    """Each object as one line of JSON, with where it begins and ends in the stream.

    Args:
        pieces: The stream, in lines as far as it has any; ``None`` in between means that nothing
            has come for a while, and is passed on.
        start: Offset of the first byte.
    """
    splitter = _Splitter(start)
    for piece in pieces:
        if piece is None:
            yield None
        else:
            yield from splitter.feed(piece)
    yield from splitter.end()


def has_documents(sample: Iterable[str]) -> bool:
    """Whether a file that begins so is made of objects of which many are no line of their own."""
    text = "\n".join(sample).encode()
    if not text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return False
    splitter = _Splitter(0)
    found = list(splitter.feed(text))
    objects = sum(line.text.startswith("{") for line in found)
    return objects == len(found) and (objects > 0 or splitter.inside)


class _Splitter:
    """What has come and is not yet given back; ``_at``: how far it was looked at."""

    def __init__(self, start: int) -> None:
        self._buffer = bytearray()
        self._offset = start
        self._at = self._begin = self._depth = 0
        self._in_string = False
        self._column: bytes | None = None

    @property
    def inside(self) -> bool:
        """Whether an object has begun that has a member, and not ended."""
        return self._depth > 0 and _BEGUN.match(self._buffer, self._begin) is not None

    def feed(self, piece: bytes) -> Iterator[RawLine]:
        """What is complete with the next piece."""
        self._buffer += piece
        while True:
            step = self._inside() if self._depth else self._outside()
            if step is None:
                break
            yield from step
        if len(self._buffer) - self._begin >= _LONGEST_BYTES:
            yield from self._give_up(len(self._buffer))
        del self._buffer[: self._begin]
        self._offset += self._begin
        self._at -= self._begin
        self._begin = 0

    def end(self) -> Iterator[RawLine]:
        """What is left when nothing more comes."""
        yield from self._give_up(len(self._buffer))

    def _outside(self) -> list[RawLine] | None:
        """Go on to the next object, or over a line of something else; ``None``: more is needed."""
        found = _BETWEEN.match(self._buffer, self._at)
        self._begin = self._at = found.end() if found else self._at
        if self._at == len(self._buffer):
            return None
        if self._buffer[self._at] != _BRACE:
            line_end = self._buffer.find(b"\n", self._at)
            return None if line_end < 0 else self._give_up(line_end + 1)
        indent = self._buffer[self._buffer.rfind(b"\n", 0, self._at) + 1 : self._at]
        self._column = None if indent.strip(b" \t") else bytes(indent)
        self._depth, self._at = 1, self._at + 1
        return []

    def _inside(self) -> list[RawLine] | None:
        """Go on to the next thing that matters; ``None``: more is needed."""
        if self._in_string:
            return self._over_string()
        found = _TOKEN.search(self._buffer, self._at)
        if found is None:
            self._at = len(self._buffer)
            return None
        token = found[0]
        at_margin = found.start() == 0 or self._buffer[found.start() - 1] == _NEWLINE
        if at_margin and token[:-1] == self._column and token[-1] == _BRACE and self._is_indented():
            return self._give_up(found.start())
        self._at = found.end()
        self._in_string = token == b'"'
        self._depth += (token[-1] == _BRACE) - (token == b"}")
        return self._document() if self._depth == 0 else []

    def _over_string(self) -> list[RawLine] | None:
        found = _STRING.match(self._buffer, self._at)
        self._at = found.end() if found else self._at
        left = self._buffer[self._at : self._at + 2]
        if not left or left == b"\\":
            return None
        # A line break ends a string that nothing else has ended.
        self._in_string = False
        self._at += 1
        return []

    def _is_indented(self) -> bool:
        """Whether the object's own lines stand further in than it does."""
        second = self._buffer.find(b"\n", self._begin) + 1
        column = self._column or b""
        return self._buffer.startswith((column + b" ", column + b"\t"), second)

    def _document(self) -> list[RawLine]:
        raw = bytes(self._buffer[self._begin : self._at])
        text = raw.decode("utf-8", "replace")
        if b"\n" in raw or b"\r" in raw:
            try:
                text = msgspec.json.format(text, indent=-1)
            except (msgspec.DecodeError, RecursionError):
                return self._give_up(self._at)
        line = RawLine(text, self._offset + self._begin, self._offset + self._at)
        self._begin = self._at
        return [line]

    def _give_up(self, end: int) -> list[RawLine]:
        """What was begun, up to ``end``, as lines of text."""
        lines = [
            RawLine(
                found[0].rstrip(b"\r\n").decode("utf-8", "replace"),
                self._offset + found.start(),
                self._offset + found.end(),
            )
            for found in _LINE.finditer(self._buffer, self._begin, end)
        ]
        self._begin = self._at = end
        self._depth, self._in_string = 0, False
        return lines
