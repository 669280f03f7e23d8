"""The shelf's file: SQLite in WAL mode, opened anew for each call.

A connection for each call costs a fraction of a millisecond and nothing has to be kept: any number
of threads and processes work on one file, and one that was deleted, restored or set aside is
noticed by the next call. Only processes of one machine may share it, as SQLite's log is shared
memory.

A damaged file is never written over. It is renamed, under a lock that other processes see, and the
new one remembers that, so that people are told.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from logstream.errors import ShelfUnavailable

__all__ = ["FILE_NAME", "Aside", "on_shelf", "set_aside"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

FILE_NAME = "dashboard.sqlite3"
VERSION = 1
BUSY_S = 3.0
MOST_ASIDE = 10

_MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    CREATE TABLE views (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, grouped TEXT NOT NULL,
        search TEXT NOT NULL, query TEXT NOT NULL, version INTEGER NOT NULL,
        updated_ns INTEGER NOT NULL, UNIQUE (kind, name)
    ) WITHOUT ROWID;
    CREATE TABLE shares (
        id TEXT PRIMARY KEY, path TEXT NOT NULL, search TEXT NOT NULL, size INTEGER NOT NULL,
        at_ns INTEGER NOT NULL
    );
    CREATE INDEX shares_at ON shares (at_ns, size);
    CREATE TABLE pins (field TEXT PRIMARY KEY, at_ns INTEGER NOT NULL) WITHOUT ROWID;
    """,
)
"""How a file of version n becomes one of version n + 1. What is here is never changed."""

_HINT = (
    "saved views and short links are kept there: make the folder writable, "
    "or set LOGSTREAM_DATA_DIR (data_dir) to one that is"
)


class Aside(msgspec.Struct, frozen=True):
    """A damaged file that was renamed to ``file``."""

    at_ns: int
    file: str


async def on_shelf(folder: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """What ``work`` returns, done in one transaction in a thread.

    Raises:
        ShelfUnavailable: the folder is missing or read-only, the disk is full, the file is of a
            newer version, or others held it for too long; nothing was changed then.
    """
    return await asyncio.to_thread(_run, folder / FILE_NAME, work)


def _run(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    with _errors(path):
        try:
            return _transact(path, work)
        except sqlite3.DatabaseError as exc:
            if not _damaged(exc):
                raise
            _move_away(path, exc)
        return _transact(path, work)


def _transact(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    with closing(_open(path)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            _migrate(db, path)
            done = work(db)
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        return done


def _open(path: Path) -> sqlite3.Connection:
    if not path.parent.is_dir():
        # Made by whoever starts the platform; here it would hide a wrong setting.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA trusted_schema=OFF")
    except BaseException:
        db.close()
        raise
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    [version] = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise ShelfUnavailable(
            f"{path} was written by a newer LogStream (version {version} of the file)",
            hint="run that version, or set LOGSTREAM_DATA_DIR (data_dir) to another folder",
        )
    for statements in _MIGRATIONS[version:]:
        # `executescript` would commit first.
        for statement in statements.split(";"):
            db.execute(statement)
    if version < VERSION:
        db.execute(f"PRAGMA user_version = {VERSION}")


def set_aside(db: sqlite3.Connection) -> list[Aside]:
    """The damaged files that were renamed, newest first."""
    row = db.execute("SELECT value FROM meta WHERE key = 'set_aside'").fetchone()
    return msgspec.json.decode(row[0], type=list[Aside]) if row else []


def _damaged(exc: sqlite3.DatabaseError) -> bool:
    return _code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(exc: sqlite3.Error) -> int:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF  # the rest says more of the same


def _move_away(path: Path, cause: sqlite3.DatabaseError) -> None:
    with _alone(path):
        if _sound(path):
            return  # another process was quicker
        at_ns = time.time_ns()
        kept = path.with_name(f"{path.name}.damaged-{at_ns // 10**9}")
        number = 1
        while kept.exists():
            kept = kept.with_name(f"{path.name}.damaged-{at_ns // 10**9}-{number}")
            number += 1
        for ending in ("-wal", "-shm"):
            beside = path.with_name(path.name + ending)
            if beside.exists():
                beside.rename(kept.with_name(kept.name + ending))
        path.rename(kept)
        logger.error(
            "%s is damaged (%s): it was set aside as %s, and a new one begun", path, cause, kept
        )
        _transact(path, lambda db: _remember(db, Aside(at_ns, kept.name)))


def _remember(db: sqlite3.Connection, aside: Aside) -> None:
    known = [aside, *set_aside(db)][:MOST_ASIDE]
    db.execute("REPLACE INTO meta VALUES ('set_aside', ?)", (msgspec.json.encode(known),))


def _sound(path: Path) -> bool:
    try:
        with closing(_open(path)) as db:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError as exc:
        if _damaged(exc):
            return False
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Of all processes only one at a time."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise ShelfUnavailable(f"{path} cannot be used: {exc}", hint=_hint_of(exc)) from exc
    except OSError as exc:
        raise ShelfUnavailable(f"{path} cannot be used: {exc.strerror}", hint=_HINT) from exc


def _hint_of(exc: sqlite3.Error) -> str:
    code = _code(exc)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another dashboard is writing to it: ask again"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return "free space on its disk"
    return _HINT
