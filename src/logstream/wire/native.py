"""LogStream's own JSON: an object, an array of objects, or objects one a line → a batch.

Two paths give the same records: `shapes` and `fast` for parts in which all records look alike,
`rows` and `columns` for everything else. The bytes themselves tell which JSON it is, headers do
not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from logstream.record import concat
from logstream.wire import columns, fast, split
from logstream.wire.flatten import Digits
from logstream.wire.limits import Code, Decoded, Rejections, WireLimits
from logstream.wire.rows import Refused, Row, row_of
from logstream.wire.shapes import Compiled, Shapes

__all__ = ["NativeDecoder"]

_values = msgspec.json.Decoder(float_hook=Digits)
_arrays = msgspec.json.Decoder(list[Any], float_hook=Digits)
_NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SURROGATE = re.compile(rb"\\u[dD]([89a-fA-F])[0-9a-fA-F]{2}")
_ESCAPE = re.compile(rb"\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)
_BYTE = re.compile(r"^JSON is malformed: (.*?) \(byte (\d+)\)$")
_Window = tuple[int, int]
_SINGLES = "singles"


class NativeDecoder:
    """Decodes bodies; remembers the shapes it saw, which changes its speed and nothing else."""

    def __init__(self, limits: WireLimits) -> None:
        self.limits = limits
        self._shapes = Shapes(limits)

    def decode(self, body: bytes, *, now_ns: int) -> Decoded:
        """Decode a whole body at once.

        Args:
            body: As received, decompressed.
            now_ns: Its receipt, which dates records without a time and the accepted window.
        """
        rejections = Rejections()
        batches, index = [], 0
        for part in split.parts(body):
            batch, seen = self.decode_part(part, now_ns, index, rejections)
            index += seen
            if batch is not None:
                batches.append(batch)
        batch = None if not batches else batches[0] if len(batches) == 1 else concat(batches)
        return Decoded(
            batch=batch,
            accepted=batch.num_rows if batch is not None else 0,
            errors=rejections.errors,
            by_code=dict(rejections.by_code),
        )

    def decode_part(
        self, part: split.Part, now_ns: int, index: int, rejections: Rejections
    ) -> tuple[pa.RecordBatch | None, int]:
        """One part of a body: its batch (``None``: nothing accepted) and how many records it had.

        ``index`` is that of its first record in the body; refused ones go to ``rejections``.
        """
        window_ns = self.limits.window_ns(now_ns)
        key = _shape_key(part)
        compiled = self._shapes.find(key) if key is not None else None
        if compiled is not None and (batch := self._fast(part, compiled, window_ns, (now_ns,))):
            return batch, batch.num_rows
        values = _decode(part)
        if values is not None and key is not None:
            self._shapes.learn(key, values, len(values))
        items = _salvage(part) if values is None else values
        rows, seen = self._rows(items, window_ns, now_ns, index, rejections)
        return (columns.build(rows) if rows else None), seen

    def rows(self, body: bytes, now_ns: int, rejections: Rejections) -> list[Row]:
        """The rows of a small body, for batches that many requests share."""
        window_ns = self.limits.window_ns(now_ns)
        rows: list[Row] = []
        index = 0
        for part in split.parts(body):
            items = _decode(part)
            more, seen = self._rows(
                _salvage(part) if items is None else items, window_ns, now_ns, index, rejections
            )
            rows += more
            index += seen
        return rows

    def singles(self, bodies: Sequence[bytes], received_ns: Sequence[int]) -> pa.RecordBatch | None:
        """The batch of bodies that are one record each, or ``None``: use `rows` for each.

        Bodies that begin and end with a brace can be told apart after they were joined: a broken
        one breaks the whole, and one that holds several records changes their number.
        """
        for body in bodies:
            if body[:1] != b"{" or body[-1:] != b"}":
                return None
        part = split.Lines(b"\n".join(bodies))
        compiled = self._shapes.find(_SINGLES)
        if compiled is not None:
            window_ns = self.limits.window_ns(max(received_ns))
            batch = self._fast(part, compiled, window_ns, received_ns)
            if batch is not None and batch.num_rows == len(bodies):
                return batch
        values = _decode(part)
        if values is not None:
            self._shapes.learn(_SINGLES, values, len(values))
        return None

    def _fast(
        self, part: split.Part, compiled: Compiled, window_ns: _Window, received_ns: Sequence[int]
    ) -> pa.RecordBatch | None:
        try:
            if isinstance(part, split.Lines):
                records = compiled.lines.decode_lines(part.data)
            elif isinstance(part, split.Array):
                records = compiled.array.decode(part.data)
            else:
                return None
            return fast.build(records, compiled, self.limits, window_ns, received_ns)
        except (*_NOT_DECODED, fast.Surprise):
            return None

    def _rows(
        self,
        items: Iterable[Any],
        window_ns: _Window,
        now_ns: int,
        index: int,
        rejections: Rejections,
    ) -> tuple[list[Row], int]:
        rows: list[Row] = []
        seen = 0
        for seen, item in enumerate(items, 1):
            try:
                if type(item) is Refused:
                    raise item
                rows.append(row_of(item, self.limits, window_ns, now_ns))
            except Refused as refused:
                rejections.add(index + seen - 1, refused.reason, refused.code)
        return rows, seen


def _shape_key(part: split.Part) -> object:
    """What tells which compiled shape to try: the keys of the part's first record."""
    if not isinstance(part, split.Lines):
        return None if isinstance(part, split.Elements) else "array"
    try:
        first = _values.decode(part.data[: part.data.find(b"\n") + 1] or part.data)
    except _NOT_DECODED:
        return None
    return _keys(first) if type(first) is dict else None


def _keys(value: dict[str, Any]) -> tuple[object, ...]:
    return tuple((key, _keys(item)) if type(item) is dict else key for key, item in value.items())


def _decode(part: split.Part) -> list[Any] | None:
    """The part's values, or ``None`` when one of them is broken."""
    try:
        if isinstance(part, split.Lines):
            return _values.decode_lines(part.data)
        if isinstance(part, split.Array):
            return _arrays.decode(part.data)
    except _NOT_DECODED:
        pass
    return None


def _salvage(part: split.Part) -> Iterable[Any]:
    """Each value by itself; a broken one as the `Refused` that says what is wrong with it."""
    if isinstance(part, split.Lines):
        texts: Iterable[bytes] = part.data.split(b"\n")
        return (_one(text) for text in texts if not text.isspace() and text)
    if isinstance(part, split.Elements):
        return map(_one, part.items)
    return map(_one, split.elements(part.data[part.data.index(b"[") + 1 :]))


def _one(text: bytes) -> Any:
    try:
        return _values.decode(text)
    except UnicodeDecodeError:
        return _bad_utf8(text)
    except RecursionError:
        return Refused("nested too deep to be read", "too_deep")
    except msgspec.ValidationError:
        return Refused("a number has more digits than can be read", "bad_json")
    except msgspec.DecodeError as exc:
        return _bad_json(text, str(exc))


def _bad_utf8(text: bytes) -> Refused:
    try:
        text.decode()
    except UnicodeDecodeError as exc:
        return Refused(f"invalid UTF-8 at byte {exc.start} of the record", "bad_utf8")
    raise AssertionError("the decoder and Python disagree about UTF-8")


def _bad_json(text: bytes, message: str) -> Refused:
    at = _lone_surrogate(text)
    if at is not None:
        escape = text[at : at + 6].decode(errors="replace")
        return Refused(f"lone surrogate {escape} at byte {at} of the record", "bad_utf8")
    if match := _BYTE.match(message):
        return Refused(f"not JSON: {match[1]} at byte {match[2]} of the record", "bad_json")
    code: Code = "bad_json"
    if not text:
        return Refused("not JSON: nothing between two commas", code)
    return Refused("not JSON: it ends too early", code)


def _lone_surrogate(text: bytes) -> int | None:
    """Byte position of an escaped half of a surrogate pair that has no other half."""
    high_end = -1
    high_at = -1
    for match in _ESCAPE.finditer(text):
        half = _SURROGATE.fullmatch(match[0])
        high = half is not None and half[1] in b"89abAB"
        if high_at >= 0:
            if half is None or high or match.start() != high_end:
                return high_at
            high_at = -1
            continue
        if half is None:
            continue
        if not high:
            return match.start()
        high_at, high_end = match.start(), match.end()
    return high_at if high_at >= 0 else None
