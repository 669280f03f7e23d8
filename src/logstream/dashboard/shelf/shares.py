"""Short links: places by the hash of what they are, the newest of them."""

from __future__ import annotations

import sqlite3

from logstream.clock import NS_PER_S
from logstream.dashboard.shelf.values import (
    MAX_SHARE_AGE_S,
    MAX_SHARES,
    MAX_SHARES_BYTES,
    PageState,
    share_id,
)
from logstream.errors import NotFound

__all__ = ["add_share", "count_shares", "dropped_shares", "find_share"]


def add_share(db: sqlite3.Connection, state: PageState, *, now_ns: int) -> tuple[str, int]:
    """Keep a place, or keep it for longer; its id, and how many old ones had to go."""
    share = share_id(state)
    size = len(state.path) + len(state.search)
    db.execute(
        "INSERT INTO shares (id, path, search, size, at_ns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET at_ns = excluded.at_ns",
        (share, state.path, state.search, size, now_ns),
    )
    dropped = _drop_oldest(db, now_ns)
    if dropped:
        db.execute(
            "INSERT INTO meta VALUES ('shares_dropped', ?)"
            " ON CONFLICT (key) DO UPDATE SET value = value + excluded.value",
            (dropped,),
        )
    return share, dropped


def find_share(db: sqlite3.Connection, id: str, *, now_ns: int) -> PageState:
    """The place of that id.

    Raises:
        NotFound: there is none, or it was too old to be kept.
    """
    row = db.execute(
        "SELECT path, search FROM shares WHERE id = ? AND at_ns >= ?", (id, _oldest_ns(now_ns))
    ).fetchone()
    if row is None:
        raise NotFound(
            f"there is no short link {id[:100]!r}",
            hint=f"links are kept for {MAX_SHARE_AGE_S / 86_400:g} days, the newest {MAX_SHARES}",
        )
    return PageState(*row)


def count_shares(db: sqlite3.Connection) -> int:
    """How many are kept."""
    [count] = db.execute("SELECT count(*) FROM shares").fetchone()
    return int(count)


def dropped_shares(db: sqlite3.Connection) -> int:
    """How many have gone for their age, or for newer ones, since the file was begun."""
    row = db.execute("SELECT value FROM meta WHERE key = 'shares_dropped'").fetchone()
    return int(row[0]) if row else 0


def _drop_oldest(db: sqlite3.Connection, now_ns: int) -> int:
    gone = db.execute("DELETE FROM shares WHERE at_ns < ?", (_oldest_ns(now_ns),)).rowcount
    count, size = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM shares").fetchone()
    while count > MAX_SHARES or size > MAX_SHARES_BYTES:
        oldest, each = db.execute(
            "SELECT id, size FROM shares ORDER BY at_ns, id LIMIT 1"
        ).fetchone()
        db.execute("DELETE FROM shares WHERE id = ?", (oldest,))
        count, size, gone = count - 1, size - each, gone + 1
    return gone


def _oldest_ns(now_ns: int) -> int:
    return now_ns - int(MAX_SHARE_AGE_S * NS_PER_S)
