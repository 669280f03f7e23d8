"""Access logs of Apache, nginx and their kin: the common and the combined log format."""

from __future__ import annotations

import re
from typing import Any

from logstream.cli.formats.base import MONTHS, Context, Format, Parsed, moment_ns

__all__ = ["ACCESS"]

_LINE = re.compile(
    r"(?:(?P<vhost>[\w.-]+:\d+) )?"
    r"(?P<client>\S+) \S+ (?P<user>\S+(?: \S+)?) "
    r"\[(\d\d)/([A-Z][a-z][a-z])/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<size>\d+|-)'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
    r"(?P<rest> .*)?"
)
_REQUEST = re.compile(r"([A-Z]{3,10}) (\S+)(?: HTTP/([\d.]+))?")


def _parse(line: str, context: Context) -> Parsed | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    day, month, year, hour, minute, second, offset = match.groups()[3:10]
    if month not in MONTHS:
        return None
    clock = (int(hour), int(minute), int(second))
    ns = moment_ns(context, int(year), MONTHS[month], int(day), clock, offset=offset)
    if ns is None:
        return None
    status = int(match["status"])
    level = "error" if status >= 500 else "warn" if status >= 400 else "info"
    fields: dict[str, Any] = {"message": line, "level": level, "client.address": match["client"]}
    fields["http.response.status_code"] = status
    request = _REQUEST.fullmatch(match["request"])
    if request is not None:
        fields["http.request.method"] = request[1]
        path, _, query = request[2].partition("?")
        fields["url.path"] = path
        if query:
            fields["url.query"] = query
        if request[3]:
            fields["network.protocol.version"] = request[3]
    for key, group in (
        ("user.name", "user"),
        ("http.response.body.size", "size"),
        ("http.request.header.referer", "referer"),
        ("user_agent.original", "agent"),
        ("server.address", "vhost"),
    ):
        if match[group] not in (None, "-", ""):
            fields[key] = match[group]
    return Parsed(fields, ns)


ACCESS = Format("access", "Apache or nginx access log (common, combined)", _parse, open_ended=False)
