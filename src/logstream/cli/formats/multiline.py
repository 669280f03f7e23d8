"""From lines to records: the lines of a stack trace stay one record with the line before them."""

from __future__ import annotations

import re
from typing import NamedTuple

from logstream.cli.formats.base import Context, Format, Parsed
from logstream.cli.formats.plain import PLAIN

__all__ = ["Assembled", "Assembler", "RawLine", "continues"]

_MOST_LINES = 2_000
_MOST_CHARACTERS = 512 * 1024

_CONTINUATION = re.compile(
    r"\s+\S"
    r"|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames)"
    r"|Traceback \(most recent call last\)|During handling of the above exception"
    r"|The above exception was the direct cause"
    r"|goroutine \d+ \[|[})\]]+[,;]?\s*$"
    r"|   at |at [\w.$<>/]+\(|--- End of "
)
# The last line of a Python traceback stands at the margin, below an indented line.
_EXCEPTION = re.compile(r"(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)\b(?::|$)")


class RawLine(NamedTuple):
    """A line without its line break, and where it begins and ends in its file, in bytes."""

    text: str
    start: int
    end: int


class Assembled(NamedTuple):
    """One record and the stretch of the file that it came from."""

    parsed: Parsed
    start: int
    end: int


def continues(line: str, previous: str) -> bool:
    """Whether a line of no format's own looks like the rest of a stack trace.

    ``previous`` is the line above it, empty when there is none.
    """
    if _CONTINUATION.match(line):
        return True
    return bool(_EXCEPTION.match(line)) and (not previous or previous[:1] in " \t")


class Assembler:
    """Takes a file's lines in order and gives back records. One per file.

    A record is given back once the line behind it shows that it is complete, or by `flush`.
    """

    def __init__(self, format: Format, context: Context) -> None:
        self._format = format
        self._context = context
        self._head: Parsed | None = None
        self._rest: list[str] = []
        self._characters = 0
        self._previous = ""
        self._start = self._end = 0
        self._traceback = False

    @property
    def pending(self) -> bool:
        """Whether a record waits for its end."""
        return self._head is not None

    def add(self, line: RawLine) -> Assembled | None:
        """Take the next line; the record before it, if this line is not part of it.

        Lines of nothing but white space are not records; they stay inside a stack trace.
        """
        text = line.text
        parsed = self._format.parse(text, self._context) if text.strip() else None
        plain = self._format is PLAIN
        if self._head is not None and self._has_room(text):
            belongs = self._belongs(text) if parsed is None or plain else False
            if belongs:
                self._rest.append(text)
                self._characters += len(text)
                self._note(line)
                return None
        done = self.flush()
        if not text.strip():
            return done
        self._head = parsed or PLAIN.parse(text, self._context)
        self._start = line.start
        self._characters = len(text)
        self._note(line)
        return done

    def flush(self) -> Assembled | None:
        """The record that was waiting for its end, if any."""
        if self._head is None:
            return None
        head, rest = self._head, self._rest
        while rest and not rest[-1].strip():
            rest.pop()
        if rest:
            message = str(head.fields.get("message", ""))
            joined = "\n".join([message, *rest])
            head = head._replace(fields={**head.fields, "message": joined})
        done = Assembled(head, self._start, self._end)
        self._head, self._rest, self._traceback = None, [], False
        return done

    def _note(self, line: RawLine) -> None:
        self._end = line.end
        self._previous = line.text
        if line.text.lstrip().startswith("Traceback (most recent call last)"):
            self._traceback = True
        elif self._traceback and line.text[:1] not in " \t":
            self._traceback = False

    def _has_room(self, text: str) -> bool:
        return len(self._rest) < _MOST_LINES and self._characters + len(text) < _MOST_CHARACTERS

    def _belongs(self, text: str) -> bool:
        if not text.strip():
            return True
        if self._format.open_ended:
            return True
        if self._traceback and text[:1] not in " \t" and self._previous[:1] in " \t":
            return True
        return continues(text, self._previous)
