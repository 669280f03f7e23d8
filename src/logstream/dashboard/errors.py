"""Every failure of the dashboard API in the one JSON error shape.

``{"error": {"code", "message", "request_id", "hint"?, "line"?, "column"?, "expected"?,
"retry_after_s"?}}``: of our own errors (`logstream.errors`), of Litestar's (validation, 404, 405,
413), and of bugs, whose text stays in the log beside the request id.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from msgspec import UNSET, UnsetType

from logstream.errors import (
    BadRequest,
    Forbidden,
    LogStreamError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RequestError,
    RetryLater,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)

__all__ = [
    "CHANGING_ERRORS",
    "ERRORS",
    "ErrorAnswer",
    "ErrorBody",
    "InternalError",
    "describe",
    "suggestion",
]

logger = logging.getLogger(__name__)

REQUEST_ID = "logstream.request_id"
"""Key of the request's id in its ASGI scope's state."""

_UNKNOWN_MEMBER = re.compile(r"unknown field `(.*)`", re.DOTALL)


class ErrorBody(msgspec.Struct, kw_only=True):
    """What went wrong. ``code`` is stable; ``message`` and ``hint`` are for people; ``line``,
    ``column`` (from 1) and ``expected`` come with ``bad_query``."""

    code: str
    message: str
    request_id: str
    hint: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    column: int | UnsetType = UNSET
    expected: list[str] | UnsetType = UNSET
    retry_after_s: int | UnsetType = UNSET


class ErrorAnswer(msgspec.Struct):
    """The body of every answer whose status is 400 or more."""

    error: ErrorBody


class InternalError(LogStreamError):
    """A bug of ours; what it was is in the log beside the request id."""


_BY_STATUS: Mapping[int, type[LogStreamError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    415: UnsupportedMedia,
    429: TooManyRequests,
    503: Unavailable,
}


def _spec(description: str) -> ResponseSpec:
    return ResponseSpec(ErrorAnswer, description=description, generate_examples=False)


ERRORS: dict[int, ResponseSpec] = {
    400: _spec("A parameter, the query or the body cannot be understood."),
    401: _spec("No access key, or a wrong one."),
    403: _spec("Asked through a host name or from a page that may not."),
    404: _spec("No such object."),
    422: _spec("The query needs more memory than one query may have."),
    429: _spec("More live tails, or unanswered queries, than are allowed at once."),
    500: _spec("A bug; the log has more beside the request id."),
    503: _spec("The store or the broker cannot answer now."),
    504: _spec("The query took longer than one query may take."),
}
"""The error answers of any route, for OpenAPI."""

CHANGING_ERRORS: dict[int, ResponseSpec] = ERRORS | {
    409: _spec("Somebody else has changed it, the name is taken, or there is no room."),
    413: _spec("Larger than what is kept."),
}
"""The error answers of routes that change what the dashboard keeps for its users."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """``did you mean …?``, or what there is to choose from."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"known here: {', '.join(names)}" if names else "this route takes none"


def describe(error: LogStreamError, request_id: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, extra headers and JSON body of an error."""
    body = error.to_json()
    body["error"]["request_id"] = request_id
    headers = {}
    if isinstance(error, RetryLater):
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, Unauthorized):
        headers["www-authenticate"] = 'Basic realm="LogStream", charset="UTF-8"'
    return error.status, headers, body


def request_id_of(scope: Mapping[str, Any]) -> str:
    """The id that the outermost layer gave the request."""
    return str(scope.get("state", {}).get(REQUEST_ID, ""))


def handle(request: Request[Any, Any, Any], exc: Exception) -> Response[dict[str, Any]]:
    """Litestar's exception handler for everything."""
    error = to_error(exc, request)
    if error.status >= 500:
        log_failure(exc, request_id_of(request.scope), request.method, request.url.path)
    status, headers, body = describe(error, request_id_of(request.scope))
    allow = getattr(exc, "headers", None) or {}
    headers.update({name.lower(): value for name, value in allow.items()})
    return Response(body, status_code=status, headers=headers, media_type="application/json")


def log_failure(exc: BaseException, request_id: str, method: str, path: str) -> None:
    """Note what stays hidden from the client. The path is text from outside: shown escaped."""
    known = isinstance(exc, LogStreamError)
    logger.error(
        "request %s failed: %s %r: %s", request_id, method, path[:200], exc,
        exc_info=None if known else exc,
    )  # fmt: skip


def to_error(exc: Exception, request: Request[Any, Any, Any]) -> LogStreamError:
    """The error of ours that an exception means."""
    if isinstance(exc, LogStreamError):
        return exc
    if isinstance(exc, ValidationException):
        return _validation(exc, request)
    if isinstance(exc, RecursionError) and request.method in ("POST", "PUT"):
        # Only reading a body goes as deep as whoever wrote it likes; nothing else here recurses.
        return BadRequest("the body is nested too deeply")
    if isinstance(exc, HTTPException) and exc.status_code < 500:
        message = exc.detail
        if exc.status_code == 404:
            message = f"there is no {request.url.path[:200]} here"
            return NotFound(message, hint="the API is described at /api/openapi.json")
        if exc.status_code == 405:
            return MethodNotAllowed(f"{request.url.path} does not take {request.method}")
        return _BY_STATUS.get(exc.status_code, BadRequest)(message)
    return InternalError("something went wrong here", hint="the log has more by the request_id")


def _validation(exc: ValidationException, request: Request[Any, Any, Any]) -> RequestError:
    problems = exc.extra if isinstance(exc.extra, list) else []
    for problem in problems:
        if not isinstance(problem, dict):
            continue
        message, key = str(problem.get("message", "")), str(problem.get("key", ""))
        unknown = _UNKNOWN_MEMBER.search(message)
        if unknown:
            return BadRequest(
                f"there is no member {unknown[1]!r}",
                hint=suggestion(unknown[1], _body_members(request)),
            )
        if problem.get("source") == "body" and key == "data":
            return BadRequest(f"the body does not fit: {_plain(message)}")
        return BadRequest(f"{key}: {_plain(message)}")
    return BadRequest(exc.detail)


def _body_members(request: Request[Any, Any, Any]) -> list[str]:
    field = request.route_handler.parsed_data_field
    annotation = field.annotation if field else None
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return list(annotation.__struct_encode_fields__)
    return []


def _plain(message: str) -> str:
    if message == "'data'":
        return "send a JSON object"
    return message.replace("`", "").replace("Expected ", "expected ", 1)
