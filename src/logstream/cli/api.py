"""Questions to the dashboard's API."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from logstream.client import Answer, Connection
from logstream.errors import BadRequest, LogStreamError, QueryError, RetryLater, Unauthorized

__all__ = ["ask", "raise_for"]

_LATER = (429, 502, 503, 504)


def ask(connection: Connection, path: str, **parameters: str | int) -> Any:
    """The JSON answer of ``GET /api/v1/PATH``.

    Raises:
        ServerUnreachable: no answer.
        LogStreamError: an answer that says what is wrong.
    """
    question = f"?{urlencode(parameters)}" if parameters else ""
    answer = connection.request("GET", f"/api/v1/{path}{question}")
    raise_for(answer)
    found = answer.json()
    if not isinstance(found, dict):
        raise LogStreamError(
            f"{connection.url} did not answer as a LogStream dashboard does",
            hint="is this the dashboard's port (3001 by default)?",
        )
    return found


def raise_for(answer: Answer) -> None:
    """Raise what an error answer says.

    Raises:
        QueryError: the query is wrong.
        RetryLater: the server, or a proxy before it, cannot answer now.
        LogStreamError: anything else that is not a success.
    """
    if answer.status < 300:
        return
    found = answer.json()
    error = found.get("error") if isinstance(found, dict) else None
    error = error if isinstance(error, dict) else {}
    hint = str(error.get("hint", ""))
    if error.get("code") == QueryError.code:
        line, column = error.get("line", 1), error.get("column", 1)
        raise QueryError(
            f"query, line {line} column {column}: {answer.error()}",
            line=line, column=column,
            expected=tuple(map(str, error.get("expected", ()))), hint=hint,
        )  # fmt: skip
    if answer.status == 404 and "x-request-id" not in answer.headers:
        hint = "is this the dashboard's port (3001 by default)?"
    if answer.status == 401:
        raise Unauthorized(answer.error(), hint="give --api-key or set LOGSTREAM_API_KEYS")
    if answer.status in _LATER:
        raise RetryLater(answer.error(), hint=hint)
    kind = BadRequest if answer.status == 400 else LogStreamError
    raise kind(answer.error(), hint=hint)
