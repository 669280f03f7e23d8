"""Facets that everybody has pinned to the top, in the order in which they were."""

from __future__ import annotations

import sqlite3

from logstream.dashboard.shelf.values import MAX_PINS
from logstream.errors import Conflict

__all__ = ["list_pins", "pin", "unpin"]


def list_pins(db: sqlite3.Connection) -> list[str]:
    """The fields' names as queries write them."""
    return [row[0] for row in db.execute("SELECT field FROM pins ORDER BY at_ns, field")]


def pin(db: sqlite3.Connection, field: str, *, now_ns: int) -> None:
    """Pin a field; one that is pinned stays where it is.

    Raises:
        Conflict: there are `MAX_PINS` already.
    """
    [count] = db.execute("SELECT count(*) FROM pins WHERE field <> ?", (field,)).fetchone()
    if count >= MAX_PINS:
        raise Conflict(f"{count} fields are pinned already", hint="unpin one of them")
    db.execute("INSERT OR IGNORE INTO pins VALUES (?, ?)", (field, now_ns))


def unpin(db: sqlite3.Connection, field: str) -> None:
    """Unpin a field, if it is pinned."""
    db.execute("DELETE FROM pins WHERE field = ?", (field,))
