"""What applications import to send their logs to LogStream: the standard library only.

    import logging
    from logstream.client import LogStreamHandler

    logging.getLogger().addHandler(LogStreamHandler("http://localhost:3000", service="shop"))

`Sender` is what the handler rests on, for records that do not come from `logging`.
"""

from __future__ import annotations

from logstream.client.handler import LogStreamHandler
from logstream.client.http import Answer, Connection, ServerUnreachable
from logstream.client.sender import Counts, Sender

__all__ = ["Answer", "Connection", "Counts", "LogStreamHandler", "Sender", "ServerUnreachable"]
