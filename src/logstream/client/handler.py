"""A `logging` handler that never makes the application wait and never raises into it."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Mapping
from typing import Any

from logstream.client.sender import Counts, Sender

__all__ = ["LogStreamHandler"]

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OWN = frozenset({"service", "trace_id", "span_id"})
_LEVELS = ((50, "fatal"), (40, "error"), (30, "warn"), (20, "info"), (10, "debug"), (1, "trace"))


class LogStreamHandler(logging.Handler):
    """Hands every record to a `Sender`.

    ``extra=`` fields become attributes; ``trace_id``, ``span_id`` and ``service`` among them
    become the record's own. An exception becomes ``exception.type``, ``exception.message`` and
    ``exception.stacktrace``. When the server is away records wait in a bounded queue; what does
    not fit is dropped and counted in `counts`.

    Args:
        url: Where the ingestion API listens.
        service: The service's name on every record.
        api_key: Access key, where the server asks for one.
        attributes: Sent with every record, ``{"deployment.environment": "production"}``.
        level: The least level that is sent.
        sender: A sender to share; by default the handler has one of its own and closes it.
    """

    def __init__(
        self,
        url: str = "http://localhost:3000",
        *,
        service: str = "",
        api_key: str = "",
        attributes: Mapping[str, Any] | None = None,
        level: int | str = logging.NOTSET,
        sender: Sender | None = None,
    ) -> None:
        super().__init__(level)
        self._own = sender is None
        self._sender = sender or Sender(url, api_key=api_key)
        self._service = service
        self._attributes = {"host.name": socket.gethostname(), **(attributes or {})}

    @property
    def counts(self) -> Counts:
        """What became of the records so far."""
        return self._sender.counts

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record. Never waits, never raises."""
        try:
            self._sender.send(_members(record, self._service, self._attributes))
        except Exception:  # noqa: BLE001 – an argument's own __str__ may raise anything
            self.handleError(record)

    def flush(self) -> None:
        """Wait, ten seconds at most, until all that was queued is answered."""
        self._sender.flush()

    def close(self) -> None:
        """Send what is queued and stop."""
        if self._own:
            self._sender.close()
        super().close()


def _members(record: logging.LogRecord, service: str, fixed: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {
        **fixed,
        "logger": record.name,
        "code.file.path": record.pathname,
        "code.line.number": record.lineno,
        "code.function.name": record.funcName,
        "thread.name": record.threadName,
        "process.pid": record.process,
    }
    members: dict[str, Any] = {
        "timestamp": int(record.created * 1_000_000) * 1_000,
        "level": next((name for least, name in _LEVELS if record.levelno >= least), ""),
        "message": record.getMessage(),
        "attributes": attributes,
    }
    if service:
        members["service"] = service
    if record.exc_info and record.exc_info[1] is not None:
        kind, error, trace = record.exc_info
        attributes["exception.type"] = f"{type(error).__module__}.{type(error).__qualname__}"
        attributes["exception.message"] = str(error)
        attributes["exception.stacktrace"] = "".join(traceback.format_exception(kind, error, trace))
    if record.stack_info:
        attributes["code.stacktrace"] = record.stack_info
    for key, value in record.__dict__.items():
        if key not in _STANDARD:
            (members if key in _OWN else attributes)[key] = value
    return members
