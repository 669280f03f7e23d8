"""Records and tables for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from logstream.cli.terminal import LEVEL_STYLES, neutral, neutral_json

__all__ = ["OUTPUTS", "is_record", "json_line", "lines_of", "record_line"]

OUTPUTS = ("table", "json", "ndjson", "csv")

_COLUMNS = ("timestamp", "level", "service", "message", "trace_id", "span_id", "attributes")
_INDENT = " " * 4
# Wide enough for milliseconds; more digits are shown when a record has them.
_TIME_WIDTH = len("2026-01-01 00:00:00.000")


def is_record(row: Mapping[str, Any]) -> bool:
    """Whether a row of an answer is a whole record rather than a line of a query's own table."""
    return "message" in row and isinstance(row.get("attributes"), dict)


def lines_of(
    rows: Iterable[Mapping[str, Any]], output: str, *, colour: bool, attributes: bool
) -> Iterator[str]:
    """Rows, all records or all lines of one table, as lines to print.

    Args:
        rows: Taken one by one as lines are taken, except for tables, which must be measured.
        output: One of `OUTPUTS`.
        colour: Show levels in colour (table only).
        attributes: Show attributes too (records in table only).
    """
    if output == "ndjson":
        yield from map(json_line, rows)
    elif output == "json":
        yield from _json_array(rows)
    elif output == "csv":
        yield from _csv(rows)
    else:
        yield from _table(rows, colour=colour, attributes=attributes)


def json_line(row: Mapping[str, Any]) -> str:
    """One JSON object on one line, safe to print."""
    return neutral_json(json.dumps(row, ensure_ascii=False))


def _json_array(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    previous = ""
    for row in rows:
        yield f"{previous}," if previous else "["
        previous = "  " + json_line(row)
    if previous:
        yield previous
        yield "]"
    else:
        yield "[]"


def _csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    columns: Sequence[str] = ()
    for row in rows:
        if not columns:
            columns = _COLUMNS if is_record(row) else tuple(row)
            yield _csv_line(columns)
        yield _csv_line([_cell(row.get(name)) for name in columns])


def _csv_line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().removesuffix("\r\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _table(rows: Iterable[Mapping[str, Any]], *, colour: bool, attributes: bool) -> Iterator[str]:
    cells: list[Mapping[str, Any]] = []
    for row in rows:
        if is_record(row):
            yield record_line(row, colour=colour, attributes=attributes)
        else:
            cells.append(row)
    if not cells:
        return
    columns = list(cells[0])
    lines = [
        [neutral(_cell(row.get(name))).replace("\n", "\\n") for name in columns] for row in cells
    ]
    wide = [max(len(name), *(len(line[i]) for line in lines)) for i, name in enumerate(columns)]
    right = [all(isinstance(row.get(name), (int, float)) for row in cells) for name in columns]
    for line in [[neutral(name) for name in columns], *lines]:
        shown = (
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, wide, right, strict=True)
        )  # fmt: skip
        yield "  ".join(shown).rstrip()


def record_line(row: Mapping[str, Any], *, colour: bool, attributes: bool) -> str:
    """One record as a person reads it; a message of many lines is indented below the first."""
    time = neutral(str(row.get("timestamp", ""))).replace("T", " ").removesuffix("Z")
    level = neutral(str(row.get("level", "")))
    shown = f"{level.upper():<5}"
    if colour and level in LEVEL_STYLES:
        shown = click.style(shown, **LEVEL_STYLES[level])  # type: ignore[arg-type]  # keywords of style
    service = neutral(str(row.get("service", "")))
    message = neutral(str(row.get("message", "")), indent=_INDENT)
    line = f"{time:<{_TIME_WIDTH}} {shown} {service}: {message}" if service else (
        f"{time:<{_TIME_WIDTH}} {shown} {message}"
    )  # fmt: skip
    if not attributes:
        return line
    pairs = [("trace_id", row.get("trace_id")), ("span_id", row.get("span_id"))]
    pairs += [*dict(row.get("attributes") or {}).items(), *dict(row.get("resource") or {}).items()]
    for key, value in pairs:
        if value:
            line += f"\n{_INDENT}{neutral(str(key))}={neutral(str(value), indent=_INDENT * 2)}"
    return line
