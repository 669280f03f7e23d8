"""logfmt: ``ts=2026-11-23T14:34:18Z level=info msg="it works" took=5ms``."""

from __future__ import annotations

import re

from logstream.cli.formats.base import Context, Format, Parsed
from logstream.cli.formats.json_lines import TIMESTAMP_KEYS
from logstream.timestamps import parse_timestamp

__all__ = ["LOGFMT"]

_PAIR = re.compile(r'\s*([A-Za-z_@][\w.@/-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def _parse(line: str, context: Context) -> Parsed | None:
    fields: dict[str, str] = {}
    position = 0
    while match := _PAIR.match(line, position):
        key, value = match.groups()
        if value.startswith('"'):
            value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), value[1:-1])
        fields[key] = value
        position = match.end()
    # Two pairs at least, and nothing else: "error=timeout" alone is rather a plain message.
    if len(fields) < 2 or line[position:].strip():
        return None
    for key in TIMESTAMP_KEYS:
        found = parse_timestamp(fields.get(key, ""))
        if found is not None:
            return Parsed(dict(fields), found, key)
    return Parsed(dict(fields))


LOGFMT = Format("logfmt", "key=value pairs", _parse, open_ended=False)
