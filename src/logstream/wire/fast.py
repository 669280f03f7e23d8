"""The fast path: instances of a compiled shape → one Arrow batch, column by column.

Whatever it is not made for (a value of another kind, a time out of the window, an unknown level)
is a `Surprise`, and the careful path does the whole part again: both must give the same records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain, cycle
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import astuple

from logstream.record import TIMESTAMP, TIMESTAMP_SOURCE
from logstream.severity import severity_of
from logstream.wire.columns import SMALL_ROWS, batch, map_array, severity_columns
from logstream.wire.limits import WireLimits
from logstream.wire.rows import level_number, timestamp_of
from logstream.wire.shapes import Compiled, Node

__all__ = ["Surprise", "build"]

_STRING = pa.string()
_INT64 = pa.int64()
_UNSET = msgspec.UNSET
_LEVELS_KEPT = 1_024
_TEXT_COLUMNS = {
    "service": "ServiceName",
    "trace_id": "TraceId",
    "span_id": "SpanId",
    "event_name": "EventName",
}

_Columns = dict[tuple[str, str], list[Any]]


class Surprise(Exception):
    """These records need the careful path."""


class _Present:
    """Whether every record had every key of the shape, as far as has been seen."""

    __slots__ = ("all",)

    def __init__(self) -> None:
        self.all = True


class _LevelNumbers(dict[Any, int]):
    def __missing__(self, value: Any) -> int:
        number = level_number(value)
        if number is None:
            raise Surprise
        if len(self) < _LEVELS_KEPT:
            self[value] = number
        return number


_level_numbers = _LevelNumbers()


def build(
    records: list[Any],
    compiled: Compiled,
    limits: WireLimits,
    window_ns: tuple[int, int],
    received_ns: Sequence[int],
) -> pa.RecordBatch:
    """The batch of these records, ``received_ns`` one for each of them, or one for all.

    Raises:
        Surprise: the careful path must do it.
    """
    rows = len(records)
    if not rows:
        raise Surprise
    present = _Present()
    taken: _Columns = {}
    _take(compiled.root, records, taken)
    columns: dict[str, pa.Array] = {
        "Timestamp": _timestamps(taken.get(("field", "timestamp")), rows, window_ns, received_ns),
    }
    if "timestamp" not in compiled.fields:
        taken["attribute", TIMESTAMP_SOURCE] = ["received"] * rows
    columns["Body"] = _messages(taken, compiled, rows, limits)
    columns |= _severities(taken)
    for field, name in _TEXT_COLUMNS.items():
        if field in compiled.fields:
            columns[name] = _texts(taken["field", field], present)
    if "trace_flags" in compiled.fields:
        columns["TraceFlags"] = _trace_flags(taken["field", "trace_flags"])
    if compiled.resource:
        columns["ResourceAttributes"] = _maps(
            taken, "resource", compiled.resource, compiled, present
        )
        if "service" not in compiled.fields and "service.name" in compiled.resource:
            columns["ServiceName"] = _texts(taken["resource", "service.name"], present)
    if compiled.attributes:
        columns["LogAttributes"] = _maps(taken, "attribute", compiled.attributes, compiled, present)
    if not present.all:
        _check_no_empty_objects(compiled.root, records)
    return batch(columns)


def _take(node: Node, instances: list[Any], into: _Columns) -> None:
    flat = list(chain.from_iterable(map(astuple, instances)))
    for slot, where, name in node.leaves:
        into[where, name] = flat[slot :: node.width]
    for slot, child in node.nodes:
        _take(child, flat[slot :: node.width], into)


def _check_no_empty_objects(node: Node, instances: list[Any]) -> None:
    """An object sent as ``{}`` is a value of its own, one not sent is not."""
    for slot, child in node.nodes:
        inner = [astuple(instance)[slot] for instance in instances]
        default = child.default
        if any(item is not default and item == default for item in inner):
            raise Surprise
        _check_no_empty_objects(child, inner)


def _timestamps(
    column: list[Any] | None,
    rows: int,
    window_ns: tuple[int, int],
    received_ns: Sequence[int],
) -> pa.Array:
    if column is None:
        times = received_ns if len(received_ns) == rows else [received_ns[0]] * rows
        return pa.array(times, _INT64).cast(TIMESTAMP)
    try:
        times = pa.array(column, _STRING).cast(TIMESTAMP)
    except (TypeError, pa.ArrowInvalid):
        times = pa.array(_epochs(column), _INT64).cast(TIMESTAMP)
    if times.null_count:
        raise Surprise
    earliest, latest = _ends(times.view(_INT64))
    if earliest < max(window_ns[0], 0) or latest > window_ns[1]:
        raise Surprise
    return times


def _ends(numbers: pa.Array) -> tuple[int, int]:
    """The smallest and the largest of them."""
    if len(numbers) <= SMALL_ROWS:
        values = numbers.to_pylist()
        return min(values), max(values)
    ends = pc.min_max(numbers)
    return ends["min"].as_py(), ends["max"].as_py()


def _epochs(column: list[Any]) -> list[int]:
    if not set(map(type, column)) <= {str, int}:
        raise Surprise
    times = list(map(timestamp_of, column))
    if None in times:
        raise Surprise
    return times  # type: ignore[return-value]  # checked for None in one pass


def _messages(taken: _Columns, compiled: Compiled, rows: int, limits: WireLimits) -> pa.Array:
    column = taken.get(("field", "message"))
    if column is None:
        texts = pa.repeat(pa.scalar("", _STRING), rows)
        shortest = 0
    else:
        texts = _strings(column)
        if texts.null_count:
            raise Surprise
        if rows <= SMALL_ROWS:
            lengths = list(map(len, column))  # in characters: of at most four bytes each
            shortest, longest = min(lengths), 4 * max(lengths)
        else:
            shortest, longest = _ends(pc.binary_length(texts))
        if longest > limits.max_message_bytes:
            raise Surprise
    if shortest == 0 and not any(
        _UNSET not in taken["attribute", name]
        for name in compiled.attributes
        if name != TIMESTAMP_SOURCE
    ):
        raise Surprise  # one of them may say nothing at all
    return texts


def _severities(taken: _Columns) -> dict[str, pa.Array]:
    levels = taken.get(("field", "level"))
    if levels is not None:
        kinds = set(map(type, levels))
        if kinds not in ({str}, {int}):
            raise Surprise
        return severity_columns(bytes(map(_level_numbers.__getitem__, levels)))
    numbers = taken.get(("field", "severity_number"))
    if numbers is None:
        return {}
    if set(map(type, numbers)) != {int}:
        raise Surprise
    known = [severity_of(number, otel=True) for number in numbers]
    if None in known:
        raise Surprise
    return severity_columns(known)  # type: ignore[arg-type]  # checked for None in one pass


def _trace_flags(column: list[Any]) -> pa.Array:
    if set(map(type, column)) != {int} or not 0 <= min(column) <= max(column) <= 255:
        raise Surprise
    return pa.array(column, pa.uint8())


def _strings(column: list[Any]) -> pa.Array:
    try:
        return pa.array(column, _STRING)
    except TypeError:
        raise Surprise from None


def _texts(column: list[Any], present: _Present) -> pa.Array:
    """A text column: what is absent or null is empty."""
    try:
        texts = pa.array(column, _STRING)
    except TypeError:
        present.all = False
        texts = _strings(["" if value is _UNSET else value for value in column])
    return pc.fill_null(texts, "") if texts.null_count else texts


_PLAIN: dict[type, Callable[[Any], Any]] = {
    str: lambda value: value,
    int: str,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "",
    type(_UNSET): lambda value: value,
}


def _plain(column: list[Any]) -> list[Any]:
    """The column's values as texts; absent ones stay."""
    kinds = set(map(type, column))
    if kinds == {int}:
        return list(map(str, column))
    if not kinds <= _PLAIN.keys():
        raise Surprise
    return [_PLAIN[type(value)](value) for value in column]


def _maps(
    taken: _Columns,
    where: str,
    keys: tuple[str, ...],
    compiled: Compiled,
    present: _Present,
) -> pa.Array:
    rows = len(taken[where, keys[0]])
    columns = [
        _plain(taken[where, key]) if key in compiled.mixed else taken[where, key] for key in keys
    ]
    try:
        values = _values(_interleaved(columns, rows))
    except TypeError:
        for n, key in enumerate(keys):
            if set(map(type, columns[n])) - {str, type(None), type(_UNSET)}:
                compiled.mixed.add(key)
                columns[n] = _plain(columns[n])
        flat = _interleaved(columns, rows)
        if any(value is _UNSET for value in flat):
            present.all = False
            return _maps_with_gaps(flat, keys)
        values = _values(flat)
    offsets, names = _repeated(compiled, where, keys, rows)
    return map_array(offsets, names, values)


def _interleaved(columns: list[list[Any]], rows: int) -> list[Any]:
    width = len(columns)
    flat: list[Any] = [None] * (rows * width)
    for n, column in enumerate(columns):
        flat[n::width] = column
    return flat


def _maps_with_gaps(flat: list[Any], keys: tuple[str, ...]) -> pa.Array:
    width = len(keys)
    there = [value is not _UNSET for value in flat]
    sizes = map(sum, zip(*(there[n::width] for n in range(width)), strict=True))
    numbers = [n for n, present in zip(cycle(range(width)), there, strict=False) if present]
    return map_array(
        pa.array(list(accumulate(sizes, initial=0)), pa.int32()),
        pa.array(keys, _STRING).take(pa.array(numbers, pa.int32())),
        _values([value for value in flat if value is not _UNSET]),
    )


def _values(flat: list[Any]) -> pa.Array:
    values = pa.array(flat, _STRING)
    return pc.fill_null(values, "") if values.null_count else values


def _repeated(
    compiled: Compiled, where: str, keys: tuple[str, ...], rows: int
) -> tuple[pa.Array, pa.Array]:
    """Offsets and keys of ``rows`` rows that have all the keys; made once, then sliced."""
    width = len(keys)
    made = compiled.repeated.get(where)
    if made is None or len(made[0]) <= rows:
        names = pa.array(keys, _STRING)
        while len(names) < width * rows:
            names = pa.concat_arrays([names, names])
        offsets = pa.array(range(0, len(names) + 1, width), pa.int32())
        made = compiled.repeated[where] = (offsets, names)
    return made[0].slice(0, rows + 1), made[1].slice(0, width * rows)
