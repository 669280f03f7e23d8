"""Apache's error log: ``[Sun Dec 04 04:47:44 2005] [notice] text`` and the fuller 2.4 form."""

from __future__ import annotations

import re
from typing import Any

from logstream.cli.formats.base import MONTHS, Context, Format, Parsed, is_level, moment_ns

__all__ = ["APACHE_ERROR"]

_LINE = re.compile(
    r"\[[A-Z][a-z][a-z] ([A-Z][a-z][a-z]) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? (\d{4})\] "
    r"\[(?:(?P<module>[\w-]*):)?(?P<level>[a-z]+\d?)\] "
    r"(?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?"
    r"(?P<message>.*)"
)
_CLIENT = re.compile(r"\[client ([^\]\s]+)\] ")


def _parse(line: str, context: Context) -> Parsed | None:
    match = _LINE.fullmatch(line)
    if match is None or match[1] not in MONTHS or not is_level(match["level"]):
        return None
    month, day, hour, minute, second, fraction, year = match.groups()[:7]
    clock = (int(hour), int(minute), int(second))
    ns = moment_ns(context, int(year), MONTHS[month], int(day), clock, fraction=fraction)
    if ns is None:
        return None
    message = match["message"]
    fields: dict[str, Any] = {"message": message, "level": match["level"]}
    client = _CLIENT.match(message)
    if client is not None:
        fields["client.address"] = client[1]
    for key, group in (("module", "module"), ("process.pid", "pid"), ("thread.id", "tid")):
        if match[group]:
            fields[key] = match[group]
    return Parsed(fields, ns)


APACHE_ERROR = Format("apache-error", "Apache error log", _parse, open_ended=True)
