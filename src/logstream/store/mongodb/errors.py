"""MongoDB's error codes in our error tree.

For an insert the question is whether the same rows may succeed later. Only codes that blame the
data say no; everything else, codes not known here included, is "not now": a pipeline that waits
loses nothing, one that gives up on good records does.
"""

from __future__ import annotations

from collections.abc import Callable

from logstream.errors import (
    LogStreamError,
    QueryTimeout,
    QueryTooExpensive,
    RecordsRejected,
    StoreError,
    StoreUnavailable,
)

__all__ = [
    "NOT_IMPLEMENTED_CODES",
    "MapError",
    "read_error",
    "short",
    "too_slow",
    "write_error",
]

MapError = Callable[[int | None, str], LogStreamError]
"""From MongoDB's code (``None``: it never came to that) and message to our error."""

NOT_IMPLEMENTED_CODES = frozenset({13, 59, 67, 72, 115, 238})
"""Unauthorized, CommandNotFound, CannotCreateIndex, InvalidOptions, CommandNotSupported,
NotImplemented."""
_UNAVAILABLE = frozenset({
    6, 7, 89, 9001,  # HostUnreachable, HostNotFound, NetworkTimeout, SocketException
    91, 11600, 11602,  # shutting down
    189, 10107, 13435, 13436,  # no primary here (any more)
    13, 18,  # Unauthorized, AuthenticationFailed: mended by an operator
    262, 24, 46, 112, 50,  # over time or lock limits of the server's own
    64, 79, 100,  # a write concern that was not, or cannot be, kept
    14031,  # OutOfDiskSpace
})  # fmt: skip
_LOGIN = frozenset({13, 18})
_EXPENSIVE = frozenset({96, 146, 292, 16945})
"""Sorts and groups over the server's memory limit; nothing spills to its disk."""
_REJECTED = frozenset({
    2, 3, 9, 14, 22,  # BadValue, NoSuchKey, FailedToParse, TypeMismatch, InvalidBSON
    52, 53, 55, 56, 57,  # names that a document may not have, an _id that is none
    121, 10334, 17280, 17419, 17420,  # fails validation, too large
})  # fmt: skip
_TIMEOUT = 50


def read_error(code: int | None, message: str) -> LogStreamError:
    """What went wrong with a query or a connection."""
    if code == _TIMEOUT:
        return too_slow()
    if code in _EXPENSIVE:
        return QueryTooExpensive(
            "the query needs too much memory", hint="narrow the time range or the query"
        )
    if code in _UNAVAILABLE:
        lasting = code in _LOGIN
        return StoreUnavailable(f"the store does not answer: {short(message)}", lasting=lasting)
    return StoreError(f"the store could not run the query: {short(message)}")


def write_error(code: int | None, message: str) -> LogStreamError:
    """What went wrong with an insert."""
    if code in _REJECTED:
        return RecordsRejected(f"the store does not take these records: {short(message)}")
    unknown = code is not None and code not in _UNAVAILABLE
    return StoreUnavailable(
        f"the store cannot write now: {short(message)}", suspect=f"code {code}" if unknown else ""
    )


def too_slow() -> QueryTimeout:
    """The error of a query over its time."""
    return QueryTimeout("the query took too long", hint="narrow the time range or the query")


def short(message: str) -> str:
    """The driver's message without what it knows of the whole cluster."""
    return message.partition(", full error:")[0].partition(", Topology Description:")[0][:500]
