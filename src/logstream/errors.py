"""Every error LogStream raises on purpose, as one tree.

The classes are split by what the *caller* does next, not by where they arise::

    LogStreamError
    ├── RequestError                 the sender must change the request; never retry as it is
    │   ├── BadRequest          400  what was sent cannot be understood
    │   │   └── QueryError      400  a query does not parse; carries line, column, expected
    │   ├── Unauthorized        401  no access key, or a wrong one
    │   ├── Forbidden           403  from this page or under this host name nobody is served
    │   ├── NotFound            404  no such route or object
    │   ├── MethodNotAllowed    405  the route exists, not with this method
    │   ├── Conflict            409  somebody else has changed it, or the name is taken: look again
    │   ├── RequestTimeout      408  the request did not arrive whole in time
    │   ├── LengthRequired      411  a body without a length or chunked coding
    │   ├── PayloadTooLarge     413  over a limit, before or after decompression
    │   ├── UnsupportedMedia    415  a content type or coding nobody here reads
    │   └── HeadersTooLarge     431  a head, or what surrounds a body's chunks, over its limit
    ├── SettingError                 the operator must change a setting; the program does not start
    ├── RetryLater                   not acknowledged; the same request may succeed later
    │   ├── TooManyRequests     429  this sender is over its share
    │   └── Unavailable         503  nobody can be served now
    │       ├── BrokerFull      503  the worker is behind by more than the broker may hold
    │       ├── BrokerUnavailable 503  the disk or the broker's server refuses writes
    │       ├── LeaseLost       503  a worker's part was taken over: forget what was read
    │       └── ShelfUnavailable 503  the file of saved views and short links cannot be used
    ├── StoreError              500
    │   ├── StoreUnavailable    503  down, out of disk, timed out: retry the same group
    │   ├── RecordsRejected     500  the store will never take these records: split, dead-letter
    │   ├── QueryTimeout        504  over its time limit
    │   ├── QueryTooExpensive   422  over its memory or row limit
    │   └── QueryCancelled      499  whoever asked has gone
    └── CorruptData             500  a file does not hold what was written there

Third-party exceptions are mapped to these at the border (one file per driver), ``from exc``.
Every class names an HTTP ``status`` and a stable ``code``; `to_json` gives the one shape in
which any LogStream port reports an error.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "BadRequest",
    "BrokerFull",
    "BrokerUnavailable",
    "Conflict",
    "CorruptData",
    "Forbidden",
    "HeadersTooLarge",
    "LeaseLost",
    "LengthRequired",
    "LogStreamError",
    "MethodNotAllowed",
    "NotFound",
    "PayloadTooLarge",
    "QueryCancelled",
    "QueryError",
    "QueryTimeout",
    "QueryTooExpensive",
    "RecordsRejected",
    "RequestError",
    "RequestTimeout",
    "RetryLater",
    "SettingError",
    "ShelfUnavailable",
    "StoreError",
    "StoreUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMedia",
]


class LogStreamError(Exception):
    """The root: catch it to catch everything LogStream raises on purpose.

    Args:
        message: What went wrong, in the reader's terms, without a full stop.
        hint: What to change so that it goes right, or an empty string.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def details(self) -> dict[str, Any]:
        """Extra machine-readable members of the JSON error; JSON-serialisable."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """``{"error": {"code", "message", "hint"?, …details}}``: the one JSON error shape."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            body["hint"] = self.hint
        return {"error": {**body, **self.details()}}


# The sender must change the request


class RequestError(LogStreamError):
    status = 400
    code = "bad_request"


class BadRequest(RequestError):
    """What was sent cannot be understood."""


class QueryError(BadRequest):
    """A query does not parse or does not make sense.

    Args:
        message: What is wrong.
        line: Line of the fault, from 1.
        column: Column of the fault, from 1, in characters.
        expected: What could have stood there, in words a user knows.
        hint: Usually ``did you mean "…"?``.
    """

    code = "bad_query"

    def __init__(
        self,
        message: str,
        *,
        line: int = 1,
        column: int = 1,
        expected: tuple[str, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.line = line
        self.column = column
        self.expected = expected

    def details(self) -> dict[str, Any]:
        return {"line": self.line, "column": self.column, "expected": list(self.expected)}


class Unauthorized(RequestError):
    status = 401
    code = "unauthorized"


class Forbidden(RequestError):
    status = 403
    code = "forbidden"


class NotFound(RequestError):
    status = 404
    code = "not_found"


class MethodNotAllowed(RequestError):
    """``allowed``: the methods that the path takes, as the ``Allow`` header lists them."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, hint: str = "", allowed: str = "") -> None:
        super().__init__(message, hint=hint)
        self.allowed = allowed


class Conflict(RequestError):
    """Somebody else has changed it meanwhile, the name is taken, or there is no room for more."""

    status = 409
    code = "conflict"


class RequestTimeout(RequestError):
    status = 408
    code = "request_timeout"


class HeadersTooLarge(RequestError):
    status = 431
    code = "headers_too_large"


class LengthRequired(RequestError):
    status = 411
    code = "length_required"


class PayloadTooLarge(RequestError):
    status = 413
    code = "payload_too_large"


class UnsupportedMedia(RequestError):
    status = 415
    code = "unsupported_media"


# The operator must change a setting


class SettingError(LogStreamError):
    """A setting has no valid value; the message names it and where the value came from."""

    code = "bad_setting"


# The same request may succeed later


class RetryLater(LogStreamError):
    """Not acknowledged. ``retry_after_s`` is sent as ``Retry-After``.

    ``maybe_kept``: all or part of it may have been kept, since nobody answered or the disk failed
    in the middle; the JSON error's hint says so. Else nothing was.
    """

    status = 503
    code = "unavailable"

    def __init__(
        self, message: str, *, hint: str = "", retry_after_s: int = 1, maybe_kept: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.maybe_kept = maybe_kept

    def details(self) -> dict[str, Any]:
        details: dict[str, Any] = {"retry_after_s": self.retry_after_s}
        if self.maybe_kept:
            details["hint"] = "; ".join(filter(None, (self.hint, _MAYBE_KEPT)))
        return details


_MAYBE_KEPT = (
    "some or all of it may have been kept: repeated with the Idempotency-Key that it had, it is "
    "stored once; without one, maybe twice"
)


class TooManyRequests(RetryLater):
    status = 429
    code = "too_many_requests"


class Unavailable(RetryLater):
    """Nobody can be served now."""


class BrokerFull(Unavailable):
    code = "broker_full"


class BrokerUnavailable(Unavailable):
    """``lasting``: no waiting mends it, somebody has to change something."""

    code = "broker_unavailable"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after_s: int = 1,
        maybe_kept: bool = False,
        lasting: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, retry_after_s=retry_after_s, maybe_kept=maybe_kept)
        self.lasting = lasting


class LeaseLost(Unavailable):
    """This consumer's entries and groups are another's now, or handed out anew: forget them and
    open a new consumer. What it was storing is stored once, whoever finishes it."""

    code = "lease_lost"


class ShelfUnavailable(Unavailable):
    """The file of what the dashboard keeps for its users cannot be read or written now."""

    code = "shelf_unavailable"


# The store


class StoreError(LogStreamError):
    code = "store_error"


class StoreUnavailable(StoreError):
    """The store cannot be reached or cannot write now; the same group may be tried again.

    ``suspect``: a name for the cause when nobody knows whether it lies in the store or in what
    was sent; the same one again and again, from a store that answers, speaks against the latter.
    ``lasting``: no waiting mends it, somebody has to change something.
    """

    status = 503
    code = "store_unavailable"

    def __init__(
        self, message: str, *, hint: str = "", suspect: str = "", lasting: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.suspect = suspect
        self.lasting = lasting


class RecordsRejected(StoreError):
    """The store will never take these records as they are: retrying is of no use."""

    code = "records_rejected"


class QueryTimeout(StoreError):
    status = 504
    code = "query_timeout"


class QueryTooExpensive(StoreError):
    status = 422
    code = "query_too_expensive"


class QueryCancelled(StoreError):
    status = 499
    code = "query_cancelled"


# Files


class CorruptData(LogStreamError):
    """A file does not hold what was written there."""

    code = "corrupt_data"
