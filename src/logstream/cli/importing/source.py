"""Lines of files, plain or compressed, and of standard input, with where each stands."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import select
import shlex
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from logstream.cli.formats import RawLine
from logstream.cli.importing.documents import documents as split
from logstream.errors import CorruptData, SettingError

__all__ = ["STDIN", "Source", "open_source"]

STDIN = "-"

_LONGEST_LINE_BYTES = 8 << 20
_CHUNK_BYTES = 1 << 16
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"

_Open = Callable[[BinaryIO, int], BinaryIO]
"""A file on disk and an offset → its decompressed content from there on."""


class Source:
    """One file open for reading. Offsets count decompressed bytes.

    ``name`` is shown; ``size`` and `position` are of the file as it lies on disk, for a progress
    bar (0: not known); ``identity`` tells one file from another under the same name.
    """

    def __init__(self, name: str, file: BinaryIO, open_at: _Open) -> None:
        self.name = name
        self._file, self._open = file, open_at
        stat = os.fstat(file.fileno())
        self.seekable = name != STDIN and file.seekable()
        self.size = stat.st_size if self.seekable else 0
        self.modified_ns = stat.st_mtime_ns
        self.identity = f"{stat.st_dev}:{stat.st_ino}"
        self._stream = None if self.seekable else _follow(file.fileno())
        self._peeked: list[bytes] = []

    @property
    def position(self) -> int:
        return self._file.tell() if self.seekable else 0

    def reaches(self, offset: int) -> bool:
        """Whether the file may go so far: one that was cut since it was read does not."""
        return self._open is not _plain or self.size >= offset

    def lines(
        self, start: int = 0, end: int | None = None, *, documents: bool = False
    ) -> Iterator[RawLine | None]:
        """Lines from byte ``start`` up to ``end``. ``None`` in between means: none for a second
        (standard input only). A line of more than 8 MiB comes in pieces. With ``documents`` each
        JSON object is a line, however it is laid out.

        Raises:
            CorruptData: the compressed file is damaged or ends early.
        """
        pieces = self._read(start) if self._stream is None else self._rest(self._stream)
        for line in split(pieces, start) if documents else _lines(pieces, start):
            if line is not None and end is not None and line.start >= end:
                return
            yield line

    def sample(self, lines: int) -> list[str]:
        """The first lines; what does not come by itself (standard input) is not waited for long.

        Raises:
            CorruptData: as `lines`.
        """
        if self._stream is None:
            found = itertools.islice(self.lines(), lines)
            return [line.text for line in found if line is not None]
        for piece in self._stream:
            if piece is not None:
                self._peeked.append(piece)
            if len(self._peeked) >= lines or (piece is None and self._peeked):
                break
        return [_text(piece, first=i == 0) for i, piece in enumerate(self._peeked)]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _rest(self, stream: Iterator[bytes | None]) -> Iterator[bytes | None]:
        yield from self._peeked
        self._peeked.clear()
        yield from stream

    def _read(self, start: int) -> Iterator[bytes]:
        try:
            content = self._open(self._file, start)
            while line := content.readline(_LONGEST_LINE_BYTES):
                yield line
        except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as exc:
            raise CorruptData(f"{self.name} is damaged or ends early: {exc}") from exc


def open_source(name: str) -> Source:
    """Open a file, or standard input for ``-``; gzip and zstd are told by their first bytes.

    Raises:
        SettingError: it cannot be read.
    """
    file: BinaryIO
    try:
        if name == STDIN:
            return Source(name, os.fdopen(os.dup(0), "rb", buffering=0), _plain)
        file = Path(name).open("rb")  # noqa: SIM115 – the source closes it
        magic = file.read(4) if file.seekable() else b""
    except OSError as exc:
        raise SettingError(f"{name} cannot be read: {exc.strerror}") from exc
    if magic.startswith(_UTF_16):
        file.close()
        raise SettingError(
            f"{name} is text in UTF-16, which is not read here",
            hint=f"convert it: iconv -f UTF-16 -t UTF-8 {shlex.quote(name)} | logstream send -",
        )
    if magic.startswith(_GZIP):
        return Source(name, file, _gzip)
    return Source(name, file, _zstd if magic.startswith(_ZSTD) else _plain)


def _plain(file: BinaryIO, start: int) -> BinaryIO:
    file.seek(start)
    return file


def _gzip(file: BinaryIO, start: int) -> BinaryIO:
    file.seek(0)
    content = gzip.GzipFile(fileobj=file, mode="rb")
    content.seek(start)
    return content  # type: ignore[return-value]  # all of it that is used here


def _zstd(file: BinaryIO, start: int) -> BinaryIO:
    file.seek(0)
    reader: Any = zstandard.ZstdDecompressor().stream_reader(
        file, read_across_frames=True, closefd=False
    )
    content = io.BufferedReader(reader, _CHUNK_BYTES)
    while start and (piece := content.read(min(start, _CHUNK_BYTES))):
        start -= len(piece)
    return content


def _follow(number: int) -> Iterator[bytes | None]:
    rest = b""
    while True:
        ready, _, _ = select.select([number], [], [], 1.0)
        if not ready:
            yield None
            continue
        chunk = os.read(number, _CHUNK_BYTES)
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) >= _LONGEST_LINE_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def _lines(pieces: Iterable[bytes | None], start: int) -> Iterator[RawLine | None]:
    for piece in pieces:
        if piece is None:
            yield None
            continue
        following = start + len(piece)
        yield RawLine(_text(piece, first=start == 0), start, following)
        start = following


def _text(line: bytes, *, first: bool) -> str:
    if first:
        line = line.removeprefix(_BOM)
    return line.rstrip(b"\r\n").decode("utf-8", "replace")
