"""Dead letters: a small SQLite file that any process may open."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from logstream.broker.base import DeadLetter
from logstream.broker.disk.state import open_sqlite, sqlite_errors

__all__ = ["DeadLetters"]

_log = logging.getLogger(__name__)

# `size` stands before the payload, so that adding sizes up never touches a payload's pages.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, rows INTEGER NOT NULL,
    size INTEGER NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS letters_size ON letters (size);
CREATE TABLE IF NOT EXISTS dropped (letters INTEGER NOT NULL);
INSERT INTO dropped SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM dropped);
"""


class DeadLetters:
    """The letters of one broker's folder. Every method raises `BrokerUnavailable`."""

    def __init__(self, path: Path, *, capacity_bytes: int, fsync: bool) -> None:
        self._path = path
        self._capacity_bytes = capacity_bytes
        self._fsync = fsync
        self._db: sqlite3.Connection | None = None

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep these; the oldest go when there are more bytes than may be kept."""
        rows = [
            (x.at_ns, x.rows, len(x.payload) + len(x.reason), x.reason, x.payload) for x in letters
        ]
        with sqlite_errors(self._path):
            db = self._open()
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany(
                    "INSERT INTO letters (at_ns, rows, size, reason, payload)"
                    " VALUES (?, ?, ?, ?, ?)",
                    rows,
                )
                dropped = self._drop_oldest(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        if dropped:
            _log.warning("the dead-letter area is full: the %d oldest letters are gone", dropped)

    def newest(self, limit: int) -> list[DeadLetter]:
        if not self._path.exists():
            return []
        with sqlite_errors(self._path):
            rows = self._open().execute(
                "SELECT id, at_ns, rows, reason, payload FROM letters ORDER BY id DESC LIMIT ?",
                (limit,),
            )
            return [
                DeadLetter(payload=payload, rows=n, reason=reason, at_ns=at_ns, id=str(number))
                for number, at_ns, n, reason, payload in rows
            ]

    def remove(self, ids: Sequence[str]) -> int:
        if not self._path.exists():
            return 0
        numbers = [(int(each),) for each in ids if each.isdecimal()]
        with sqlite_errors(self._path):
            db = self._open()
            before = db.total_changes
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany("DELETE FROM letters WHERE id = ?", numbers)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return db.total_changes - before

    def counts(self) -> tuple[int, int]:
        """(letters kept, letters dropped for want of room)."""
        if not self._path.exists():
            return 0, 0
        with sqlite_errors(self._path):
            row = self._open().execute(
                "SELECT (SELECT count(*) FROM letters), (SELECT letters FROM dropped)"
            )
            kept, dropped = row.fetchone()
            return kept, dropped

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            db = open_sqlite(self._path, fsync=self._fsync)
            try:
                db.executescript(_SCHEMA)
            except BaseException:
                db.close()
                raise
            self._db = db
        return self._db

    def _drop_oldest(self, db: sqlite3.Connection) -> int:
        (size,) = db.execute("SELECT coalesce(sum(size), 0) FROM letters").fetchone()
        excess = size - self._capacity_bytes
        if excess <= 0:
            return 0
        doomed = []
        for number, each in db.execute("SELECT id, size FROM letters ORDER BY id"):
            if excess <= 0:
                break
            doomed.append((number,))
            excess -= each
        db.executemany("DELETE FROM letters WHERE id = ?", doomed)
        db.execute("UPDATE dropped SET letters = letters + ?", (len(doomed),))
        return len(doomed)
