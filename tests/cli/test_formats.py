"""Formats of log files: every real line becomes a record with the right time, level, message."""

from __future__ import annotations

import csv
import datetime as dt
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from logstream.cli.formats import FORMATS, PLAIN, Assembler, Context, Parsed, RawLine, detect
from logstream.timestamps import format_timestamp, parse_timestamp

SAMPLES = Path(os.environ.get("LOGSTREAM_SAMPLE_DATA", "../shared/data")) / "loghub"
REFERENCE_NS = parse_timestamp("2026-11-23T12:00:00Z") or 0
UTC = Context(dt.UTC, REFERENCE_NS)


def parse(line: str, context: Context = UTC) -> tuple[str, Parsed]:
    """The detected format's name and what it says of the line."""
    found = detect([line], context)
    parsed = found.parse(line, context)
    assert parsed is not None
    return found.name, parsed


def records(lines: list[str], format_name: str | None = None) -> list[Parsed]:
    """All records of a file with these lines."""
    chosen = FORMATS[format_name] if format_name else detect(lines, UTC)
    assembler = Assembler(chosen, UTC)
    found = [assembler.add(RawLine(line, i, i + 1)) for i, line in enumerate(lines)]
    return [each.parsed for each in (*found, assembler.flush()) if each is not None]


@pytest.mark.parametrize(
    ("name", "format_name", "first"),
    [
        ("Apache", "apache-error", "2005-12-04T04:47:44Z"),
        ("HDFS", "levelled", "2008-11-09T20:36:15Z"),
        ("OpenSSH", "syslog", "2025-12-10T06:55:46Z"),
        ("Spark", "levelled", "2017-06-09T20:10:40Z"),
        ("Zookeeper", "levelled", "2015-07-29T17:41:44.747Z"),
    ],
)
def test_real_logs_become_one_record_a_line(name: str, format_name: str, first: str) -> None:
    """Message and level of each of 2 000 real lines are what people wrote down by hand."""
    if not SAMPLES.is_dir():
        pytest.skip("sample data is not here")
    lines = (SAMPLES / f"{name}.log").read_text().splitlines()
    with (SAMPLES / f"{name}.structured.csv").open(newline="") as file:
        expected = list(csv.DictReader(file))

    assert detect(lines[:500], UTC).name == format_name
    found = records(lines)

    assert len(found) == len(lines) == len(expected)
    assert [str(each.fields["message"]).strip() for each in found] == [
        row["Content"].strip() for row in expected
    ]
    if "Level" in expected[0]:
        assert [each.fields["level"] for each in found] == [row["Level"] for row in expected]
    assert found[0].timestamp_ns is not None
    assert format_timestamp(found[0].timestamp_ns) == first
    assert all(each.timestamp_ns is not None for each in found)


ACCESS_LINE = (
    '203.0.113.9 - frank [10/Oct/2026:13:55:36 -0700] "GET /shop?q=a%20b HTTP/1.1" 503 2326 '
    '"https://example.com/" "Mozilla/5.0 (X11; \\"odd\\")"'
)


@pytest.mark.parametrize(
    ("line", "format_name", "time", "fields"),
    [
        (
            ACCESS_LINE, "access", "2026-10-10T20:55:36Z",
            {
                "message": ACCESS_LINE, "level": "error", "client.address": "203.0.113.9",
                "user.name": "frank", "http.request.method": "GET", "url.path": "/shop",
                "url.query": "q=a%20b", "http.response.status_code": 503,
            },
        ),
        (
            '127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.0" 200 -', "access",
            "2026-10-10T13:55:36Z", {"level": "info"},
        ),
        (
            ("[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] "
            "[client 72.15.99.187:80] File does not exist"), "apache-error",
            "2011-09-09T10:42:29.902022Z",
            {"level": "error", "module": "core", "process.pid": "35708",
             "client.address": "72.15.99.187:80"},
        ),
        (
            ("<165>1 2026-10-11T22:14:15.003Z host app 111 ID47 "
            '[ex@1 iut="3" note="a \\"b\\" c\\]"] the message'), "syslog",
            "2026-10-11T22:14:15.003Z",
            {"message": "the message", "level": 5, "syslog.facility": 20, "service": "app",
             "host.name": "host", "process.pid": "111", "syslog.msgid": "ID47",
             "ex@1.iut": "3", "ex@1.note": 'a "b" c]'},
        ),
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "syslog",
            "2026-10-11T22:14:15Z",
            {"message": "'su root' failed", "service": "su", "level": 2},
        ),
        (
            'ts=2026-11-23T10:00:00.5Z level=warn msg="it \\"was\\" slow" took=5ms', "logfmt",
            "2026-11-23T10:00:00.500Z",
            {"level": "warn", "msg": 'it "was" slow', "took": "5ms"},
        ),
        (
            "2026-11-23 10:00:00,123 - shop.cart - WARNING - cart is empty", "levelled",
            "2026-11-23T10:00:00.123Z",
            {"logger": "shop.cart", "level": "WARNING", "message": "cart is empty"},
        ),
        (
            "2026-11-23T10:00:00.123+01:00  INFO 4711 --- [  main] c.e.App : Started in 2 s",
            "levelled", "2026-11-23T09:00:00.123Z",
            {"level": "INFO", "process.pid": "4711", "thread.name": "main",
             "logger": "c.e.App", "message": "Started in 2 s"},
        ),
        (
            "2026/11/23 10:00:00 [error] 31#7: *1 connect() failed", "levelled",
            "2026-11-23T10:00:00Z",
            {"level": "error", "process.pid": "31", "thread.id": "7",
             "message": "*1 connect() failed"},
        ),
        (
            "I1123 10:00:00.000001     123 server.go:12] listening", "levelled",
            "2026-11-23T10:00:00.000001Z",
            {"level": "I", "logger": "server.go", "code.lineno": "12", "message": "listening"},
        ),
    ],
)  # fmt: skip
def test_line(line: str, format_name: str, time: str, fields: dict[str, Any]) -> None:
    """One line of each kind is recognised, with its time, level and attributes."""
    name, parsed = parse(line)

    assert name == format_name
    assert parsed.timestamp_ns is not None
    assert format_timestamp(parsed.timestamp_ns) == time
    assert {key: parsed.fields.get(key) for key in fields} == fields


def test_json_line_keeps_every_digit() -> None:
    """JSON members are sent on as they were written, and the time is found."""
    _, parsed = parse('{"time":"2026-11-23T10:00:00Z","big":12345678901234567890123,"x":1.50}')

    assert parsed.timestamp_key == "time"
    assert b'"big":12345678901234567890123,"x":1.50' in msgspec.json.encode(parsed.fields)


def test_missing_year_is_the_latest_possible() -> None:
    """A date without a year is never much later than the file's last change."""
    _, parsed = parse("Dec 31 23:59:59 host app: bye")

    assert format_timestamp(parsed.timestamp_ns or 0) == "2025-12-31T23:59:59Z"


def test_leap_day_without_a_year() -> None:
    """29 February is found in the last leap year."""
    _, parsed = parse("Feb 29 12:00:00 host app: leap")

    assert format_timestamp(parsed.timestamp_ns or 0) == "2024-02-29T12:00:00Z"


def test_zone_of_times_without_one() -> None:
    """Times without a zone are read in the zone that was given, summer time included."""
    context = Context(ZoneInfo("Europe/Berlin"), REFERENCE_NS)
    _, parsed = parse("2026-07-01 12:00:00 INFO summer", context)

    assert format_timestamp(parsed.timestamp_ns or 0) == "2026-07-01T10:00:00Z"


@pytest.mark.parametrize(
    "line", ["2026-13-45 10:00:00 INFO x", "Feb 30 10:00:00 h a: x", "{broken"]
)
def test_impossible_lines_are_plain_text(line: str) -> None:
    """A line that only looks like a format is kept whole as text."""
    assert parse(line) == ("plain", Parsed({"message": line}))


JAVA_TRACE = [
    "2026-11-23 10:00:00,000 ERROR shop.Pay: failed",
    "java.lang.IllegalStateException: no such order",
    "\tat shop.Pay.charge(Pay.java:12)",
    "Caused by: java.io.IOException: gone",
    "\t... 3 more",
    "",
    "2026-11-23 10:00:01,000 INFO shop.Pay: next",
]
PYTHON_TRACE = [
    "starting",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in <module>',
    "    boom()",
    "shop.errors.Boom: it went off",
    "next line",
]


def test_stack_trace_after_a_time_stays_one_record() -> None:
    """All lines up to the next time belong to the record; empty ones at its end are left out."""
    found = [each.fields["message"] for each in records(JAVA_TRACE)]

    assert found == ["\n".join(["failed", *JAVA_TRACE[1:5]]), "next"]


def test_stack_trace_in_plain_text_stays_one_record() -> None:
    """A Python traceback is one record with the line before it, its last line included."""
    found = [each.fields["message"] for each in records(PYTHON_TRACE)]

    assert found == ["\n".join(PYTHON_TRACE[:5]), "next line"]


def test_broken_json_line_is_a_record_of_its_own() -> None:
    """A line that is no JSON in a file of JSON is kept as text, and its neighbours are whole."""
    found = records(['{"message":"a"}', "oops", '{"message":"b"}'], "json")

    assert [each.fields["message"] for each in found[1:2]] == ["oops"]
    assert len(found) == 3


def test_nothing_is_lost() -> None:
    """However lines are put together, every line's text is in some record."""
    lines = [*JAVA_TRACE, *PYTHON_TRACE, "  indented", "}", "x" * 10_000]
    for name in FORMATS:
        text = "\n".join(str(each.fields.get("message", "")) for each in records(lines, name))
        for line in lines:
            if not line.startswith("2026"):
                assert line.strip() in text


def test_endless_continuation_is_cut() -> None:
    """A record holds a bounded number of lines."""
    found = records(["2026-11-23 10:00:00 INFO x", *["  more"] * 5_000])

    assert len(found) > 2


def test_blank_file_is_plain_text() -> None:
    """A file without a line has a format too."""
    assert detect([], UTC) is PLAIN
    assert detect(["", "  "], UTC) is PLAIN
