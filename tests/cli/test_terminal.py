"""What is shown on a terminal is harmless; what programs read is exact."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logstream.cli.output import lines_of, record_line
from logstream.cli.terminal import neutral, neutral_json

ROW: dict[str, Any] = {
    "timestamp": "2026-11-23T10:00:00.5Z",
    "level": "error",
    "service": "pay",
    "message": "first\n\x1b[31msecond\x07",
    "trace_id": "abc",
    "span_id": "",
    "attributes": {"k": "v\u202e", "n": "1"},
}


@given(st.text())
def test_neutral_text_has_no_control_characters(text: str) -> None:
    """No text can move the cursor, colour, or turn the writing around."""
    shown = neutral(text)

    assert not any(ord(c) < 32 and c not in "\n\t" for c in shown)
    assert not any(0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) <= 0x202E for c in shown)


@given(st.dictionaries(st.text(), st.text()))
def test_neutral_json_means_the_same(value: dict[str, str]) -> None:
    """Escaping changes how JSON is written, not what it says."""
    assert json.loads(neutral_json(json.dumps(value, ensure_ascii=False))) == value


def test_record_line_indents_and_escapes() -> None:
    """A message of several lines is indented, and its escapes are shown as text."""
    line = record_line(ROW, colour=False, attributes=True)

    assert line.startswith("2026-11-23 10:00:00.5")
    assert "ERROR pay: first\n    \\x1b[31msecond\\x07" in line
    assert "k=v\\u202e" in line


def test_colour_only_when_asked() -> None:
    """Escape sequences of our own are written for a terminal only."""
    assert "\x1b" not in record_line(ROW, colour=False, attributes=False)
    assert "\x1b" in record_line(ROW, colour=True, attributes=False)


def test_json_and_ndjson_round_trip() -> None:
    """Both hold every row as it was answered."""
    rows = [ROW, {**ROW, "message": "x"}]
    options = {"colour": False, "attributes": False}

    assert json.loads("\n".join(lines_of(rows, "json", **options))) == rows
    assert [json.loads(line) for line in lines_of(rows, "ndjson", **options)] == rows
    assert json.loads("\n".join(lines_of([], "json", **options))) == []


def test_csv_round_trip() -> None:
    """Each row has the same columns, values with commas and newlines are quoted."""
    text = "\n".join(lines_of([ROW], "csv", colour=False, attributes=False))
    (row,) = csv.DictReader(io.StringIO(text))

    assert row["message"] == ROW["message"]
    assert json.loads(row["attributes"]) == ROW["attributes"]


def test_table_of_a_query_with_pipes() -> None:
    """Columns are aligned, numbers to the right."""
    rows = [{"service": "pay", "n": 1}, {"service": "checkout", "n": 1234}]

    assert list(lines_of(rows, "table", colour=False, attributes=False)) == [
        "service      n",
        "pay          1",
        "checkout  1234",
    ]
