"""The fast path and the careful path give the same records, whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.record import Record, decode_batch, encode_batch, records_of
from logstream.timestamps import parse_timestamp
from logstream.wire import NativeDecoder, WireLimits
from logstream.wire.fields import FIELD_OF_KEY
from logstream.wire.limits import Decoded
from logstream.wire.split import Lines

NOW_NS = parse_timestamp("2026-11-23T15:00:00Z") or 0

LIMITS = WireLimits(max_message_bytes=40, max_attributes=8, max_attribute_key_bytes=24, max_depth=4)

keys = st.one_of(
    st.sampled_from(sorted(FIELD_OF_KEY)),
    st.sampled_from(
        ["attributes", "resource", "scope", "http", "a", "a.b", "b", "", "log", "ä\x00"]
    ),
    st.text(max_size=8),
)
times = st.one_of(
    st.sampled_from(
        [
            "2026-11-23T14:59:59.123456789Z", "2026-11-23T14:00:00+01:00", "2026-11-23 14:59:59,5",
            "2026-11-23T14Z", "2026-11-23", "1795445999", "1795445999.25", "2020-01-01T00:00:00Z",
            "yesterday", "",
        ]
    ),
    st.sampled_from([1795445999, 1795445999123, 1795445999123456, 5, 10**30]),
)  # fmt: skip
texts = st.one_of(
    st.text(max_size=6), st.sampled_from(["info", "WARN", "zzz", "é" * 30, "x" * 50, "a\x00b", "7"])
)
leaves = st.one_of(
    texts,
    times,
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.dictionaries(keys, inner, max_size=3), st.lists(inner, max_size=2)),
    max_leaves=4,
)


@st.composite
def alike_records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of one sender: the same few keys, each with values of one kind, some missing."""
    columns = draw(
        st.dictionaries(keys, st.sampled_from([texts, times, leaves, values]), max_size=5)
    )
    nested = draw(st.dictionaries(keys, st.sampled_from([texts, leaves]), max_size=3))
    wrapped = draw(st.sampled_from(["", "attributes", "resource", "http", "log", "service"]))
    optional = draw(st.booleans())
    records = []
    for _ in range(draw(st.integers(1, 5))):
        record: dict[str, Any] = {}
        for key, kind in columns.items():
            if not optional or draw(st.booleans()):
                record[key] = draw(kind)
        if wrapped:
            record[wrapped] = {
                key: draw(kind)
                for key, kind in nested.items()
                if not optional or draw(st.booleans())
            }
        records.append(record)
    return records


def decoded(decoder: NativeDecoder, body: bytes) -> tuple[list[Record], Decoded]:
    result = decoder.decode(body, now_ns=NOW_NS)
    return ([] if result.batch is None else records_of(result.batch)), result


@settings(max_examples=300, deadline=None)
@given(records=alike_records(), array=st.booleans())
def test_a_learnt_shape_changes_nothing(records: list[dict[str, Any]], array: bool) -> None:
    """The same body decodes to the same records and errors before and after its shape is known."""
    body = json.dumps(records) if array else "\n".join(map(json.dumps, records))
    decoder = NativeDecoder(LIMITS)
    first, one = decoded(decoder, body.encode())
    decoded(decoder, body.encode())
    third, three = decoded(decoder, body.encode())
    assert third == first
    assert three.errors == one.errors
    assert one.accepted + one.rejected == len(records)


@settings(max_examples=100, deadline=None)
@given(records=alike_records())
def test_bodies_decoded_together_are_as_decoded_apart(records: list[dict[str, Any]]) -> None:
    """Many one-record bodies give, together, the records that each gives alone."""
    bodies = [json.dumps(record).encode() for record in records]
    alone = [record for body in bodies for record in decoded(NativeDecoder(LIMITS), body)[0]]
    decoder = NativeDecoder(LIMITS)
    for _ in range(3):
        batch = decoder.singles(bodies, [NOW_NS] * len(bodies))
        if batch is not None:
            assert records_of(batch) == alone


@settings(max_examples=300, deadline=None)
@given(body=st.one_of(st.binary(max_size=60), st.text('{}[]",:\\ud8\n 1eE+-.aé', max_size=40)))
def test_anything_decodes_to_records_and_errors(body: bytes | str) -> None:
    """No bytes make the decoder raise, and what it accepts can be stored and read back."""
    raw = body if isinstance(body, bytes) else body.encode()
    result = NativeDecoder(LIMITS).decode(raw, now_ns=NOW_NS)
    assert (result.batch is None) == (result.accepted == 0)
    assert len(result.errors) == result.rejected
    if result.batch is not None:
        result.batch.validate(full=True)
        assert records_of(decode_batch(encode_batch(result.batch))) == records_of(result.batch)


@settings(max_examples=100, deadline=None)
@given(
    records=st.lists(st.dictionaries(keys, values, max_size=4), min_size=1, max_size=6),
    data=st.data(),
)
def test_neighbours_of_a_broken_line_are_kept(
    records: list[dict[str, Any]], data: st.DataObject
) -> None:
    """A broken line costs its own record only, and its index is the one given."""
    lines = [json.dumps(record).encode() for record in records]
    alone = [decoded(NativeDecoder(LIMITS), line) for line in lines]
    at = data.draw(st.integers(0, len(lines)))
    broken = data.draw(
        st.sampled_from([b'{"a":', b"\xff", b'{"m":"\\ud800"}', b"nonsense", b'{"a":' * 2000])
    )
    got, result = decoded(NativeDecoder(LIMITS), b"\n".join([*lines[:at], broken, *lines[at:]]))
    assert got == [record for kept, _ in alone for record in kept]
    assert at in [error.index for error in result.errors]


@pytest.mark.parametrize(
    "record",
    [
        {"timestamp": "2026-11-23T14:59:59Z", "level": "info", "service": "a", "message": "m",
         "trace_id": "t", "attributes": {"host": "h", "status": 200, "ms": 1.5}},
        {"time": 1795445999123, "level": 30, "pid": 7, "hostname": "h", "msg": "m"},
        {"ts": 1795445999.25, "lvl": "WARN", "msg": "m", "http": {"status": 200, "path": "/"}},
        {"message": "m", "resource": {"service.name": "s"}, "ok": True, "nothing": None},
    ],
)  # fmt: skip
def test_usual_records_take_the_fast_path(record: dict[str, Any]) -> None:
    """What loggers usually send, flat or nested, is decoded by a compiled shape once known."""
    body = "\n".join([json.dumps(record)] * 60).encode()
    decoder = NativeDecoder(WireLimits())
    first, _ = decoded(decoder, body)
    (compiled,) = decoder._shapes._known.values()
    assert compiled is not None
    batch = decoder._fast(Lines(body), compiled, decoder.limits.window_ns(NOW_NS), (NOW_NS,))
    assert batch is not None
    assert records_of(batch) == first
