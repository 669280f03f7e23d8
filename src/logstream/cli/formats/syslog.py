"""Syslog as files and senders write it: RFC 3164 (with or without priority) and RFC 5424."""

from __future__ import annotations

import re
from typing import Any

from logstream.cli.formats.base import MONTHS, Context, Format, Parsed, moment_ns
from logstream.timestamps import parse_timestamp

__all__ = ["SYSLOG"]

_RFC3164 = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?"
    r"(?P<month>[A-Z][a-z][a-z]) +(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))? "
    r"(?P<host>[^\s\[\]]+) "
    r"(?:(?P<app>[^\s\[\]:]{1,64})(?:\[(?P<pid>[^\]\s]{1,32})\])?: ?)?(?P<message>.*)"
)
# rsyslog's file format: an RFC 3339 time in front of the old fields.
_ISO = re.compile(
    r"(?:<(?P<priority>\d{1,3})>)?"
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) "
    r"(?P<host>[\w.-]+) (?P<app>[^\s\[\]:]{1,64})(?:\[(?P<pid>[^\]\s]{1,32})\])?: ?(?P<message>.*)"
)
_RFC5424 = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\S+) (?P<host>\S+) (?P<app>\S+) (?P<pid>\S+) "
    r'(?P<id>\S+) (?P<data>-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?P<message>.*))?'
)
_ELEMENT = re.compile(r'\[([^\s\]"]+)((?: [^\s=\]"]+="(?:[^"\\]|\\.)*")*)\]')
_PARAMETER = re.compile(r' ([^\s=\]"]+)="((?:[^"\\]|\\.)*)"')


def _parse(line: str, context: Context) -> Parsed | None:
    match = _RFC5424.fullmatch(line)
    if match is not None:
        return _rfc5424(match)
    match = _ISO.fullmatch(line)
    if match is not None:
        return Parsed(_fields(match), parse_timestamp(match["time"]))
    match = _RFC3164.fullmatch(line)
    if match is None or match["month"] not in MONTHS:
        return None
    year = int(match["year"]) if match["year"] else None
    clock = (int(match["hour"]), int(match["minute"]), int(match["second"]))
    month, day = MONTHS[match["month"]], int(match["day"])
    ns = moment_ns(context, year, month, day, clock, fraction=match["fraction"])
    return None if ns is None else Parsed(_fields(match), ns)


def _fields(match: re.Match[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"message": match["message"] or ""}
    for key, group in (("service", "app"), ("host.name", "host"), ("process.pid", "pid")):
        if match[group] not in (None, "", "-"):
            fields[key] = match[group]
    if match["priority"]:
        fields["level"] = int(match["priority"]) % 8
        fields["syslog.facility"] = int(match["priority"]) // 8
    return fields


def _rfc5424(match: re.Match[str]) -> Parsed:
    fields = _fields(match)
    fields["message"] = fields["message"].removeprefix("\ufeff")
    if match["id"] != "-":
        fields["syslog.msgid"] = match["id"]
    for name, parameters in _ELEMENT.findall(match["data"]):
        for key, value in _PARAMETER.findall(parameters):
            fields[f"{name}.{key}"] = re.sub(r'\\(["\\\]])', r"\1", value)
    return Parsed(fields, parse_timestamp(match["time"]) if match["time"] != "-" else None)


SYSLOG = Format("syslog", "syslog, RFC 3164 or 5424", _parse, open_ended=False)
