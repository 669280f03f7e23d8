"""ClickHouse's error codes in our error tree.

For an insert the question is whether the same rows may succeed later. Only codes that blame the
data say no; everything else, codes not known here included, is "not now": a pipeline that waits
loses nothing, one that gives up on good records does.
"""

from __future__ import annotations

from collections.abc import Callable

from logstream.errors import (
    LogStreamError,
    QueryCancelled,
    QueryError,
    QueryTimeout,
    QueryTooExpensive,
    RecordsRejected,
    StoreError,
    StoreUnavailable,
)

__all__ = ["MapError", "read_error", "write_error"]

MapError = Callable[[int | None, str], LogStreamError]
"""From ClickHouse's code (``None``: it never came to that) and message to our error."""

TIMEOUT_CODES = frozenset({159, 160})
"""TIMEOUT_EXCEEDED, TOO_SLOW."""

CANCELLED_CODE = 394

EXPENSIVE_CODES = frozenset({
    241,  # MEMORY_LIMIT_EXCEEDED
    158, 307, 396,  # TOO_MANY_ROWS, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
    161, 162, 167, 168,  # TOO_MANY_COLUMNS, TOO_DEEP_SUBQUERIES, TOO_DEEP_AST, TOO_BIG_AST
    191, 306,  # SET_SIZE_LIMIT_EXCEEDED, TOO_DEEP_RECURSION
})  # fmt: skip

BAD_QUERY_CODES = frozenset({427})
"""CANNOT_COMPILE_REGEXP."""

UNAVAILABLE_CODES = frozenset({
    173, 243, 999,  # CANNOT_ALLOCATE_MEMORY, NOT_ENOUGH_SPACE, KEEPER_EXCEPTION
    60, 81,  # UNKNOWN_TABLE, UNKNOWN_DATABASE: somebody removed it under us
    74, 75, 76, 88, 204,  # reading, writing, opening, syncing files
    202, 209, 210, 242,  # TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, read-only
    236, 516,  # ABORTED, AUTHENTICATION_FAILED
})  # fmt: skip

REJECTED_CODES = frozenset({
    6, 26, 27, 38, 41, 72,  # text that cannot be parsed as what the column is
    8, 10, 16, 20, 47,  # a column that is not there, or is missing
    32, 33,  # data that ends too early
    43, 44, 50, 53, 70,  # types that do not go together
    69, 321, 407,  # values out of range
    117, 246,  # INCORRECT_DATA, CORRUPTED_DATA
    128, 131, 190,  # TOO_LARGE_ARRAY_SIZE, TOO_LARGE_STRING_SIZE, SIZES_OF_ARRAYS_DONT_MATCH
    349, 469,  # a null or a constraint that the table forbids
    636,  # CANNOT_EXTRACT_TABLE_STRUCTURE
})  # fmt: skip

_TOO_MANY_PARTS = 252


def read_error(code: int | None, message: str) -> LogStreamError:
    """What went wrong with a query or a connection."""
    text = _short(message)
    if code is None or code in UNAVAILABLE_CODES:
        return StoreUnavailable(f"the store does not answer: {text}")
    if code in TIMEOUT_CODES:
        return QueryTimeout("the query took too long", hint="narrow the time range or the query")
    if code in EXPENSIVE_CODES:
        return QueryTooExpensive(
            "the query needs too much memory", hint="narrow the time range or the query"
        )
    if code == CANCELLED_CODE:
        return QueryCancelled("the query was cancelled")
    if code in BAD_QUERY_CODES:
        return QueryError(f"bad regular expression: {text}")
    return StoreError(f"the store could not run the query: {text}")


def write_error(code: int | None, message: str) -> LogStreamError:
    """What went wrong with an insert."""
    text = _short(message)
    # One code for two things: a block of too many days is the data's fault, too many parts is ours.
    split = code == _TOO_MANY_PARTS and "partitions" in message.partition(":")[2][:80]
    if code in REJECTED_CODES or split:
        return RecordsRejected(f"the store does not take these records: {text}")
    return StoreUnavailable(f"the store cannot write now: {text}")


def _short(message: str) -> str:
    """The engine's message without its code, its version and a stack trace."""
    text = message.partition("DB::Exception: ")[2] or message
    return text.partition(" (version ")[0].splitlines()[0][:500].rstrip(". ") if text else ""
