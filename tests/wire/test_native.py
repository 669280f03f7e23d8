"""What one record may look like, and what becomes of it."""

from __future__ import annotations

import json

import pytest

from logstream.record import Record, records_of
from logstream.timestamps import parse_timestamp
from logstream.wire import NativeDecoder, RecordError, WireLimits
from logstream.wire.fields import SYNONYMS
from logstream.wire.limits import MAX_ERRORS

NOW_NS = parse_timestamp("2026-11-23T15:00:00Z") or 0
AT = "2026-11-23T14:59:59Z"
RECEIVED = {"logstream.timestamp": "received"}


def decode(body: str | bytes, **limits: int) -> tuple[list[Record], list[RecordError]]:
    raw = body.encode() if isinstance(body, str) else body
    result = NativeDecoder(WireLimits(**limits)).decode(raw, now_ns=NOW_NS)
    return ([] if result.batch is None else records_of(result.batch)), result.errors


def one(value: object, **limits: int) -> Record:
    (record,), errors = decode(json.dumps(value), **limits)
    assert not errors
    return record


def refused(body: str | bytes, **limits: int) -> RecordError:
    records, (error,) = decode(body, **limits)
    assert not records
    return error


@pytest.mark.parametrize(
    "body", ['{"msg":"a"}', '[{"msg":"a"}]', ' \n{"msg":"a"}\r\n\r\n', '\ufeff{"msg":"a"}']
)
def test_the_body_tells_what_it_is(body: str) -> None:
    """An object, an array and lines are told apart by their first character."""
    (record,), errors = decode(body)
    assert (record.message, errors) == ("a", [])


def test_pretty_printed_json_is_one_record() -> None:
    """Newlines inside an object do not split it."""
    (record,), _ = decode(json.dumps({"msg": "a", "http": {"status": 200}}, indent=2))
    assert record.attributes["http.status"] == "200"


@pytest.mark.parametrize(
    ("field", "key"), [(field, key) for field, keys in SYNONYMS.items() for key in keys]
)
def test_every_synonym_fills_its_field(field: str, key: str) -> None:
    """Each key of the table means its field and leaves no attribute behind."""
    sent = {"timestamp": AT, "level": "warn", "severity_number": 14, "trace_flags": 1}.get(
        field, "x"
    )
    record = one({"timestamp": AT, key: sent} if field != "timestamp" else {key: AT, "m": 1})
    name = {"timestamp": "timestamp_ns", "level": "level", "severity_number": "severity_number"}
    want = {"timestamp": parse_timestamp(AT)}.get(field, sent)
    assert getattr(record, name.get(field, field)) == want
    assert record.attributes == ({"m": "1"} if field == "timestamp" else {})


def test_the_strongest_synonym_wins_and_the_others_stay() -> None:
    """A second key for one field becomes an attribute, whichever came first."""
    record = one({"msg": "weak", "timestamp": AT, "message": "strong", "body": "weaker"})
    assert record.message == "strong"
    assert record.attributes == {"body": "weaker", "msg": "weak"}


def test_null_and_unfit_values_do_not_count_as_a_field() -> None:
    """A null leaves the field to a weaker key; a value it cannot hold becomes an attribute."""
    record = one({"message": None, "msg": "m", "trace_id": ["t"], "service": True, "timestamp": AT})
    assert (record.message, record.trace_id, record.service) == ("m", "", "")
    assert record.attributes == {"service": "true", "trace_id": '["t"]'}


def test_objects_are_flattened_and_arrays_kept_as_json() -> None:
    """Nested keys are joined by dots, arrays stay compact JSON, an empty object is a value."""
    record = one({"timestamp": AT, "a": {"b": {"c": 1}}, "tags": ["x", {"y": [1]}], "e": {}, "": 0})
    assert record.attributes == {"": "0", "a.b.c": "1", "e": "{}", "tags": '["x",{"y":[1]}]'}


def test_attributes_and_resource_and_scope_have_places_of_their_own() -> None:
    """Their objects are merged, kept as resource attributes, and as the scope."""
    record = one(
        {
            "timestamp": AT,
            "attributes": {"a": 1},
            "resource": {"service.name": "pay", "attributes": {"host.name": "h"}},
            "scope": {"name": "lib", "version": "2", "k": "v"},
        }
    )
    assert record.attributes == {"a": "1"}
    assert record.resource == {"service.name": "pay", "host.name": "h"}
    assert (record.service, record.scope_name, record.scope_version) == ("pay", "lib", "2")
    assert record.scope_attributes == {"k": "v"}


def test_colliding_keys_lose_nothing() -> None:
    """Where two keys flatten to one, the later gets a number; equal values need none."""
    record = one(
        {"timestamp": AT, "a": {"b": 1}, "a.b": 2, "attributes": {"a.b": 3, "a": {"b": 1}}}
    )
    assert record.attributes == {"a.b": "1", "a.b.2": "2", "a.b.3": "3"}


def test_duplicate_keys_keep_the_last() -> None:
    """Of two equal keys in one object the last counts, as JSON parsers have it."""
    (record,), _ = decode('{"msg":"first","k":1,"k":2,"msg":"last"}')
    assert (record.message, record.attributes["k"]) == ("last", "2")


@pytest.mark.parametrize(
    "number", ["1.50", "1e400", "-1E-999", "123456789012345678901234567890", "0", "-7", "232.661"]
)
def test_numbers_keep_their_digits(number: str) -> None:
    """An attribute has the number as it was sent, however large or exact, in arrays too."""
    (record,), _ = decode(f'{{"timestamp":"{AT}","n":{number},"l":[{number}]}}')
    assert record.attributes == {"n": number, "l": f"[{number}]"}


def test_true_false_and_null_are_texts() -> None:
    """Booleans are kept as words, null as the empty text."""
    assert one({"timestamp": AT, "t": True, "f": False, "n": None}).attributes == {
        "f": "false", "n": "", "t": "true",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("level", "name", "number"),
    [("WARNING", "warn", 13), (30, "info", 9), ("3", "error", 17), (17, "error", 17), ("", "", 0)],
)
def test_levels_are_understood(level: object, name: str, number: int) -> None:
    """Text in any case and the usual numbers map to a severity and its name."""
    record = one({"timestamp": AT, "level": level, "msg": "m"})
    assert (record.level, record.severity_number, record.attributes) == (name, number, {})


def test_an_unknown_level_keeps_the_record_and_the_text() -> None:
    """The record has no severity then, and the attribute ``level`` says what was sent."""
    record = one({"timestamp": AT, "lvl": "bananas", "msg": "m"})
    assert (record.severity_number, record.attributes) == (0, {"level": "bananas"})


def test_severity_number_refines_the_level() -> None:
    """It wins where it agrees with the level's name, and stays an attribute where it does not."""
    assert one({"timestamp": AT, "level": "info", "severity_number": 11}).severity_number == 11
    record = one({"timestamp": AT, "level": "info", "severity_number": 17})
    assert (record.severity_number, record.attributes) == (9, {"severity_number": "17"})


@pytest.mark.parametrize(
    "sent",
    [
        "2026-11-23T14:59:58.123456789Z", "2026-11-23T15:59:58.123456789+01:00",
        "1795445998.123456789", 1795445998123456789,
    ],
)  # fmt: skip
def test_timestamps_keep_their_nanoseconds(sent: object) -> None:
    """RFC 3339 with any offset and epoch numbers are exact to the nanosecond."""
    assert one({"ts": sent, "msg": "m"}).timestamp_ns == 1795445998123456789


def test_a_float_epoch_keeps_the_digits_sent() -> None:
    """A JSON number with a fraction is not squeezed through a float."""
    (record,), _ = decode('{"ts":1795445998.123456789,"msg":"m"}')
    assert record.timestamp_ns == 1795445998123456789


def test_a_missing_timestamp_is_the_receipt_and_says_so() -> None:
    """Such a record carries the attribute ``logstream.timestamp``."""
    record = one({"msg": "m"})
    assert (record.timestamp_ns, record.attributes) == (NOW_NS, RECEIVED)


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("soon", "bad_timestamp", '"soon" is not a time this reads'),
        ("2026-10-01T00:00:00Z", "too_old",
         "timestamp 2026-10-01T00:00:00Z is older than accepted (from 2026-10-24T15:00:00Z)"),
        ("2026-12-01T00:00:00Z", "too_new",
         "timestamp 2026-12-01T00:00:00Z is further ahead than accepted (to 2026-11-24T15:00:00Z)"),
        (10**30, "bad_timestamp", '"1000000000000000000000000000000" is not a time this reads'),
    ],
)  # fmt: skip
def test_times_nobody_can_mean_are_refused(sent: object, code: str, reason: str) -> None:
    """A time that does not parse or lies outside the window is refused with its reason."""
    error = refused(json.dumps({"time": sent, "msg": "m"}))
    assert (error.code, error.reason) == (code, reason)


@pytest.mark.parametrize(
    ("message", "text"),
    [({"a": 1.50}, '{"a":1.5}'), ([1, "x"], '[1,"x"]'), (7, "7"), (True, "true")],
)
def test_a_message_that_is_no_text_is_kept_as_json(message: object, text: str) -> None:
    """Objects, arrays, numbers and booleans become the message as JSON."""
    assert one({"timestamp": AT, "message": message}).message == text


def test_log_and_event_are_messages_only_when_they_are_texts() -> None:
    """An object under these keys is flattened like any other."""
    assert one({"timestamp": AT, "log": "m"}).message == "m"
    assert one({"timestamp": AT, "event": {"kind": "k"}}).attributes == {"event.kind": "k"}


def test_a_long_message_is_cut_at_a_character_and_says_so() -> None:
    """The original length in bytes is kept in ``logstream.message_bytes``."""
    record = one({"timestamp": AT, "msg": "aé" * 10}, max_message_bytes=8)
    assert record.message == "aéaéa"
    assert record.attributes == {"logstream.message_bytes": "30"}


@pytest.mark.parametrize(
    "body", ["{}", '{"message":""}', '{"message":null,"trace_id":null}', '{"attributes":{}}']
)
def test_a_record_that_says_nothing_is_refused(body: str) -> None:
    """Neither message nor anything else: there is nothing to keep."""
    assert refused(body).reason == "the record is empty"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("5", "a number"),
        ('"x"', "a string"),
        ("null", "null"),
        ("true", "true or false"),
        ("[[]]", "an array"),
    ],
)
def test_what_is_not_an_object_is_refused(body: str, kind: str) -> None:
    """A record is an object; anything else is named."""
    assert refused(body).reason == f"a record is a JSON object, this is {kind}"


@pytest.mark.parametrize(
    ("bad", "code", "reason"),
    [
        (b'{"msg":', "bad_json", "not JSON: it ends too early"),
        (b'{"msg" 1}', "bad_json", "not JSON: expected ':' at byte 7 of the record"),
        (b'{"n":NaN}', "bad_json", "not JSON: invalid character at byte 5 of the record"),
        (b'{"msg":"a\x00b"}', "bad_json", "not JSON: invalid character at byte 9 of the record"),
        (b'{"msg":"\xff"}', "bad_utf8", "invalid UTF-8 at byte 8 of the record"),
        (b'{"\xff":1}', "bad_utf8", "invalid UTF-8 at byte 2 of the record"),
        (b'{"msg":"\\ud800"}', "bad_utf8", "lone surrogate \\ud800 at byte 8 of the record"),
        (b'{"msg":"\\\\\\udc00"}', "bad_utf8", "lone surrogate \\udc00 at byte 10 of the record"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "too_deep", "nested deeper than 32 levels"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "too_deep", "nested deeper than 32 levels"),
        (b'{"a":' * 100_000, "too_deep", "nested too deep to be read"),
        (b'{"n":' + b"9" * 5000 + b"}", "bad_json", "a number has more digits than can be read"),
        (
            json.dumps({f"k{n}": n for n in range(10_000)}).encode(),
            "too_many_attributes",
            "10001 attributes, more than the 1000 allowed",
        ),
        (b'{"' + b"k" * 257 + b'":1}', "key_too_long",
         f'key "{"k" * 80}…" is longer than 256 bytes'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_bad_record_costs_only_itself(bad: bytes, code: str, reason: str, form: str) -> None:
    """Its error names the index, what and where; the neighbours are kept, in lines and arrays."""
    if form == "array" and bad == b'{"msg":':
        pytest.skip("in an array it would swallow what follows")
    parts = [b'{"msg":"before"}', bad, b'{"msg":"after"}']
    body = b"\n".join(parts) if form == "lines" else b"[" + b",".join(parts) + b"]"
    if form == "array" and bad.count(b"{") > 1000 and b"}" not in bad:
        parts.pop()  # an element that is never closed takes the rest of the array with it
        body = b"[" + b",".join(parts)
    records, errors = decode(body)
    assert [record.message for record in records] == ["before", "after"][: len(parts) - 1]
    assert [(error.index, error.code, error.reason) for error in errors] == [(1, code, reason)]


def test_escaped_nul_is_kept() -> None:
    """The character U+0000 is text like any other when it is escaped."""
    (record,), _ = decode(b'{"msg":"a\\u0000b"}')
    assert record.message == "a\x00b"


def test_errors_are_described_up_to_a_number_and_counted_beyond() -> None:
    """A body of nothing but errors cannot make an endless answer."""
    result = NativeDecoder(WireLimits()).decode(b"1\n" * 5_000, now_ns=NOW_NS)
    assert (len(result.errors), result.rejected) == (MAX_ERRORS, 5_000)


def test_an_array_cut_short_keeps_what_is_whole() -> None:
    """The elements before the cut are records, the broken one is an error."""
    records, errors = decode('[{"msg":"a"},{"msg":"b"},{"msg":"c')
    assert [record.message for record in records] == ["a", "b"]
    assert [error.index for error in errors] == [2]
