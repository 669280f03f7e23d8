"""Plain text: a line is a message; the time is that of its arrival."""

from __future__ import annotations

import re

from logstream.cli.formats.base import Context, Format, Parsed, is_level

__all__ = ["PLAIN"]

_LEADING_LEVEL = re.compile(r"\[?([A-Za-z]{3,13})(?:\]:?|:)\s")


def _parse(line: str, context: Context) -> Parsed | None:
    match = _LEADING_LEVEL.match(line)
    if match is not None and is_level(match[1]):
        return Parsed({"message": line, "level": match[1]})
    return Parsed({"message": line})


PLAIN = Format("plain", "text, one message a line", _parse, open_ended=False)
