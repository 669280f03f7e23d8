"""One file's way in: its lines as records, its records as batches, its batches to the server."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from logstream.cli.formats import (
    FORMATS,
    JSON_DOCUMENTS,
    JSON_LINES,
    Assembled,
    Assembler,
    Context,
    Format,
    detect,
)
from logstream.cli.importing.documents import has_documents
from logstream.cli.importing.source import Source
from logstream.cli.importing.state import FileState, State
from logstream.cli.importing.upload import Batch, Result, Uploader
from logstream.errors import CorruptData, SettingError
from logstream.timestamps import format_timestamp
from logstream.wire.fields import SYNONYMS

__all__ = ["Job", "Options", "Totals", "newest_ns", "sample_format"]

_SAMPLE_LINES = 500
_BATCH_BYTES = 4 << 20
_REASONS = 20
_SAMPLE_CHARACTERS = 64 << 10
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\ufffd]")  # of controls ESC is for colours
_MOST_NO_TEXT = 0.1
_DIGITS = re.compile(r"[0-9]+")
_encode = msgspec.json.Encoder().encode
_SERVICE_KEYS = frozenset(SYNONYMS["service"])


class Options(NamedTuple):
    """``service`` and ``attributes`` go to records that do not say themselves."""

    zone: dt.tzinfo
    service: str
    attributes: Mapping[str, str]
    batch_records: int
    shift_ns: int = 0


class Totals:
    """Counts over all files; ``reasons``: why records were refused, an example of each kind."""

    def __init__(self) -> None:
        self.records = self.accepted = self.rejected = 0
        self.reasons: Counter[str] = Counter()
        self._shown: dict[str, str] = {}

    def add(self, result: Result) -> None:
        """Count one answer."""
        self.records += result.batch.records
        self.accepted += result.accepted
        self.rejected += result.rejected
        for error in result.errors:
            # Reasons differ by the values in them: one of each kind is shown.
            reason = str(error.get("reason", "refused"))
            kind = _DIGITS.sub("0", reason)
            if kind not in self._shown:
                kind = kind if len(self._shown) < _REASONS else ""
                self._shown.setdefault(kind, reason if kind else "other reasons")
            self.reasons[self._shown[kind]] += 1


def context_of(source: Source, zone: dt.tzinfo) -> Context:
    """What the file's lines do not say themselves."""
    return Context(zone, source.modified_ns)


def sample_format(source: Source, zone: dt.tzinfo) -> Format:
    """The format of a file, told from its first lines.

    Raises:
        SettingError: they are no text.
        CorruptData: as `Source.sample`.
    """
    sample = source.sample(_SAMPLE_LINES)
    start = "".join(sample)[:_SAMPLE_CHARACTERS]
    if len(_NO_TEXT.findall(start)) > len(start) * _MOST_NO_TEXT:
        raise SettingError(
            f"{source.name} does not look like text in UTF-8",
            hint="convert it with iconv; if it is a log all the same, say so with --format plain",
        )
    found = detect(sample, context_of(source, zone))
    return JSON_DOCUMENTS if found is not JSON_LINES and has_documents(sample) else found


def newest_ns(source: Source, format: Format, zone: dt.tzinfo) -> int | None:
    """The latest time in a file; ``None``: no line has one."""
    context = context_of(source, zone)
    found = (
        parsed.timestamp_ns
        for line in source.lines(documents=format.documents)
        if line is not None and (parsed := format.parse(line.text, context)) is not None
    )
    return max((ns for ns in found if ns is not None), default=None)


class Job:
    """Sends one source; call `run` once.

    Args:
        moved: Called now and then with the position in the file.
    """

    def __init__(
        self,
        source: Source,
        file_state: FileState,
        options: Options,
        *,
        state: State,
        uploader: Uploader,
        totals: Totals,
        moved: Callable[[int], None],
    ) -> None:
        self._source, self._file_state = source, file_state
        self._options, self._state = options, state
        self._uploader, self._totals, self._moved = uploader, totals, moved
        self._format = FORMATS[file_state.format]
        self._extra = dict(options.attributes)
        self._lines: list[bytes] = []
        self._size = 0
        self._start = self._end = 0

    def run(self) -> None:
        """Send what was begun before, then the rest; return when all is answered.

        What was read before a file turned out to be damaged is sent all the same; raises what
        `Source.lines` and `Uploader` raise.
        """
        for start, end in list(self._file_state.pending):
            for record in self._records(start, end):
                self._add(record)
            self._flush()
        try:
            for each in self._records(self._file_state.offset, None):
                if each is not None:
                    self._add(each)
                if each is None or self._full():
                    self._flush()
        except CorruptData:
            self._finish()
            raise
        self._finish()

    def _finish(self) -> None:
        self._flush()
        self._note(self._uploader.drain())

    def _records(self, start: int, end: int | None) -> Iterator[Assembled | None]:
        assembler = Assembler(self._format, context_of(self._source, self._options.zone))
        for line in self._source.lines(start, end, documents=self._format.documents):
            done = assembler.flush() if line is None else assembler.add(line)
            if done is not None:
                yield done
            if line is None:
                yield None
        done = assembler.flush()
        if done is not None:
            yield done

    def _add(self, record: Assembled | None) -> None:
        if record is None:
            return
        fields = record.parsed.fields
        ns, key = record.parsed.timestamp_ns, record.parsed.timestamp_key
        if ns is not None and (not key or self._options.shift_ns):
            fields[key or "timestamp"] = format_timestamp(ns + self._options.shift_ns)
        if self._options.service and not _SERVICE_KEYS & fields.keys():
            fields["service"] = self._options.service
        for name, value in self._extra.items():
            fields.setdefault(name, value)
        line = _encode(fields)
        if not self._lines:
            self._start = record.start
        self._end = record.end
        self._lines.append(line)
        self._size += len(line) + 1

    def _full(self) -> bool:
        return len(self._lines) >= self._options.batch_records or self._size >= _BATCH_BYTES

    def _flush(self) -> None:
        if not self._lines:
            return
        key = self._state.key(self._file_state, self._start, self._end)
        body = b"\n".join(self._lines)
        batch = Batch(self._start, self._end, len(self._lines), body, key)
        self._lines, self._size = [], 0
        self._state.begin(self._file_state, batch.start, batch.end)
        self._note(self._uploader.submit(batch))
        self._moved(self._source.position)

    def _note(self, results: list[Result]) -> None:
        for result in results:
            self._totals.add(result)
            self._state.done(self._file_state, result.batch.start, result.batch.end)
