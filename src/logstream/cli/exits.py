"""Exit codes, and which error ends a command with which."""

from __future__ import annotations

from logstream.client import ServerUnreachable
from logstream.errors import BadRequest, LogStreamError, SettingError

__all__ = ["FAILED", "INTERRUPTED", "NEGATIVE", "OK", "UNREACHABLE", "USAGE", "code_of"]

OK = 0
NEGATIVE = 1
"""The command did its work and the answer is no: records were refused or lost, unhealthy."""
USAGE = 2
"""The command line, a setting or a query is wrong, whoever found out."""
UNREACHABLE = 3
"""The server does not answer."""
FAILED = 4
"""The server answered with an error, or the program failed."""
INTERRUPTED = 130


def code_of(error: LogStreamError) -> int:
    """The exit code that an error stands for."""
    if isinstance(error, (SettingError, BadRequest)):
        return USAGE
    if isinstance(error, ServerUnreachable):
        return UNREACHABLE
    return FAILED
