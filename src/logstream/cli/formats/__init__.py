"""Formats of log files, one module each, and the choice between them.

A format is a pure function from one line to the members of one record. `detect` scores each on a
sample; `assemble` turns numbered lines into records and keeps stack traces in one piece.
"""

from __future__ import annotations

from collections.abc import Sequence

from logstream.cli.formats.access import ACCESS
from logstream.cli.formats.apache_error import APACHE_ERROR
from logstream.cli.formats.base import Context, Format, Parsed
from logstream.cli.formats.json_lines import JSON_DOCUMENTS, JSON_LINES
from logstream.cli.formats.levelled import LEVELLED
from logstream.cli.formats.logfmt import LOGFMT
from logstream.cli.formats.multiline import Assembled, Assembler, RawLine, continues
from logstream.cli.formats.plain import PLAIN
from logstream.cli.formats.syslog import SYSLOG

__all__ = [
    "FORMATS",
    "JSON_DOCUMENTS",
    "JSON_LINES",
    "PLAIN",
    "Assembled",
    "Assembler",
    "Context",
    "Format",
    "Parsed",
    "RawLine",
    "detect",
]

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        JSON_LINES, JSON_DOCUMENTS, ACCESS, APACHE_ERROR, SYSLOG, LOGFMT, LEVELLED, PLAIN,
    )
}  # fmt: skip
"""By name, the most telling first: of two that understand a sample equally well it wins."""

_ENOUGH = 0.4


def detect(sample: Sequence[str], context: Context) -> Format:
    """The format of lines that understands most of the sample; plain text when none does.

    Lines that look like the rest of a stack trace say nothing about the format.
    """
    heads = [line for line in sample if line.strip() and not continues(line, "")]
    best, best_score = PLAIN, _ENOUGH
    for candidate in FORMATS.values():
        if candidate is PLAIN or candidate.documents or not heads:
            continue
        score = sum(candidate.parse(line, context) is not None for line in heads) / len(heads)
        if score > best_score:
            best, best_score = candidate, score
    return best
