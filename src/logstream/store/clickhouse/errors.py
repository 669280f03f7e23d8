"""ClickHouse's error codes in our error tree.

For an insert the question is whether the same rows may succeed later. Only codes that blame the
data say no; everything else is "not now": a pipeline that waits loses nothing, one that gives up
on good records does. A code that is not known here is "not now" too, but carries the code as its
`suspect`, so that whoever waits can tell when it has waited long enough.
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
    161, 191,  # TOO_MANY_COLUMNS, SET_SIZE_LIMIT_EXCEEDED
})  # fmt: skip

TOO_LARGE_CODES = frozenset({
    162, 167, 168, 306,  # TOO_DEEP_SUBQUERIES, TOO_DEEP_AST, TOO_BIG_AST, TOO_DEEP_RECURSION
    718,  # TOO_SLOW_PARSING
})  # fmt: skip
_SYNTAX_ERROR, _OVER_ITS_SIZE = 62, "Max query size exceeded"
"""The engine's words for a text over ``max_query_size``."""

BAD_QUERY_CODES = frozenset({427})
"""CANNOT_COMPILE_REGEXP."""

LOGIN_CODES = frozenset({192, 193, 194, 516})
"""UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED."""

RIGHTS_CODES = frozenset({164, 291, 497})
"""READONLY, DATABASE_ACCESS_DENIED, ACCESS_DENIED."""

UNAVAILABLE_CODES = frozenset({
    173, 243,  # CANNOT_ALLOCATE_MEMORY, NOT_ENOUGH_SPACE
    60, 81, 218,  # UNKNOWN_TABLE, UNKNOWN_DATABASE, TABLE_IS_DROPPED: removed under us
    74, 75, 76, 77, 87, 88, 107, 204, 294, 586, 641,  # reading, writing, syncing files
    95, 96, 198, 203, 209, 210, 279, 297,  # sockets, names, connections between nodes
    202, 439, 700, 749, 762, 776,  # too many statements, threads, sessions, connections
    236, 242, 473, 677, 774,  # ABORTED, TABLE_IS_READ_ONLY, deadlock, cancelled thread
    201, 364, 452,  # QUOTA_EXCEEDED, too many requests, SETTING_CONSTRAINT_VIOLATION
    225, 244, 308, 999,  # Keeper
    254, 265, 285, 286, 289, 319, 369, 415, 416,  # replicas, quorum
    574, 588, 589, 904,  # Distributed tables
    499, 500, 660, 771,  # disks that are object storage
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
_NOT_THE_DATA = (
    UNAVAILABLE_CODES | TIMEOUT_CODES | EXPENSIVE_CODES | TOO_LARGE_CODES | {CANCELLED_CODE}
)


def read_error(code: int | None, message: str) -> LogStreamError:
    """What went wrong with a query or a connection."""
    text = _short(message)
    refused = _refused(code, text)
    if refused is not None:
        return refused
    if code is None or code in UNAVAILABLE_CODES:
        return StoreUnavailable(f"the store does not answer: {text}")
    if code in TIMEOUT_CODES:
        return QueryTimeout("the query took too long", hint="narrow the time range or the query")
    if code in EXPENSIVE_CODES:
        return QueryTooExpensive(
            "the query needs too much memory", hint="narrow the time range or the query"
        )
    if code in TOO_LARGE_CODES or (code == _SYNTAX_ERROR and _OVER_ITS_SIZE in message):
        return QueryTooExpensive(
            "the query is too large for the store", hint="leave out some of its conditions"
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
    refused = _refused(code, text)
    if refused is not None:
        return refused
    known = code is None or code == _TOO_MANY_PARTS or code in _NOT_THE_DATA
    suspect = "" if known else f"code {code}"
    return StoreUnavailable(f"the store cannot write now: {text}", suspect=suspect)


def _refused(code: int | None, text: str) -> StoreUnavailable | None:
    """Who asks may not: nothing but the operator changes that."""
    if code in LOGIN_CODES:
        return StoreUnavailable(
            f"the store refuses the login: {text}",
            hint="check user and password of the store URL",
            lasting=True,
        )
    if code in RIGHTS_CODES:
        return StoreUnavailable(
            f"the store's user lacks a right: {text}",
            hint="docs/operations.md lists the grants",
            lasting=True,
        )
    return None


def _short(message: str) -> str:
    """The engine's message without its code, its version, the URL and a stack trace."""
    text = message.partition("DB::Exception: ")[2] or message
    text = text.partition(" (for url ")[0]
    return text.partition(" (version ")[0].splitlines()[0][:500].rstrip(". ") if text else ""
