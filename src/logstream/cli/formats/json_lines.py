"""JSON: objects, one a line or laid out in any other way, sent on as they are, so that every digit
of a number is kept."""

from __future__ import annotations

import msgspec

from logstream.cli.formats.base import Context, Format, Parsed
from logstream.timestamps import epoch_ns, parse_timestamp

__all__ = ["JSON_DOCUMENTS", "JSON_LINES", "TIMESTAMP_KEYS", "timestamp_in"]

TIMESTAMP_KEYS = ("timestamp", "time", "ts", "@timestamp")
"""Keys under which a time is looked for, first hit wins: those the ingestion API knows."""

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SCALAR = msgspec.json.Decoder(str | int | float | None)


def timestamp_in(text: str | float | None) -> int | None:
    """Nanoseconds of a time as a JSON member holds it, ``None``: not one."""
    if isinstance(text, str):
        return parse_timestamp(text)
    return None if text is None else epoch_ns(text)


def _parse(line: str, context: Context) -> Parsed | None:
    if not line.startswith("{"):
        return None
    try:
        fields = _OBJECT.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    for key in TIMESTAMP_KEYS:
        if key not in fields:
            continue
        try:
            found = timestamp_in(_SCALAR.decode(fields[key]))
        except msgspec.DecodeError:
            continue
        if found is not None:
            return Parsed(dict(fields), found, key)
    return Parsed(dict(fields))


JSON_LINES = Format("json", "one JSON object a line", _parse, open_ended=False)
JSON_DOCUMENTS = Format(
    "json-documents", "JSON objects over several lines, or in an array", _parse,
    open_ended=False, documents=True,
)  # fmt: skip
