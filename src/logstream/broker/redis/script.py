"""A Lua script and the digest by which Redis knows it."""

from __future__ import annotations

import hashlib

__all__ = ["ALLOW_OOM", "NO_WRITES", "STRICT", "Script"]

STRICT = "#!lua"
"""Refused as a whole when the memory is full, so that it is never carried out by half."""
ALLOW_OOM = "#!lua flags=allow-oom"
"""Allowed when the memory is full: it is what makes room, or what that needs."""
NO_WRITES = "#!lua flags=no-writes"


class Script:
    """One script; Redis runs it whole, with nothing between its commands."""

    def __init__(self, name: str, flags: str, source: str) -> None:
        self.name = name
        self.reads_only = flags == NO_WRITES
        self.source = f"{flags}\n{source}"
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
