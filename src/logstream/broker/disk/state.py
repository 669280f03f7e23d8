"""What the consumer remembers: how far it came, the groups it fixed, the dedup ids it saw.

SQLite in WAL mode with ``synchronous=FULL``: a transaction is one append and one fsync of the
log, a third of what a rollback journal costs, and survives a power cut as well.

Ages of dedup ids are counted on a clock that runs only while a consumer is open and never jumps:
a wall clock set wrong must not make a repeated request look new.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from logstream.broker.disk.format import Mark
from logstream.clock import Clock
from logstream.errors import BrokerUnavailable

__all__ = ["ConsumerState", "Plan", "Range", "open_sqlite", "read_progress", "sqlite_errors"]

# Record ids take two bits for parts and twenty for rows below it, in 64.
_LAST_GROUP_NUMBER = (1 << 42) - 1
"""As milliseconds since 1970 it is in May 2109."""
_IDS_PER_QUERY = 500
_NS_PER_MS = 1_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS progress (
    writer TEXT PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL, rows INTEGER NOT NULL, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS groups (
    number INTEGER PRIMARY KEY, plan BLOB NOT NULL, acked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS seen (dedup_id BLOB PRIMARY KEY, at_s REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at_s);
"""


class Range(msgspec.Struct, frozen=True, array_like=True):
    """The entries of one writer up to ``after``, from where the range before it ended."""

    writer: str
    after: Mark


class Plan(msgspec.Struct, frozen=True):
    """A fixed group: the reads that made it up, in order, and what was left out of it.

    Entries of one read are merged from its ranges as `consumer.merge` does, so the same plan
    always gives the same entries in the same order.
    """

    reads: list[list[Range]]
    dropped: list[tuple[str, int]]


def open_sqlite(path: Path, *, fsync: bool) -> sqlite3.Connection:
    """A connection with explicit transactions that threads may hand to one another."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={'FULL' if fsync else 'OFF'}")
    return connection


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Map SQLite's errors to the broker's."""
    try:
        yield
    except sqlite3.DatabaseError as exc:
        hint = "free space on its disk, or make its folder writable"
        if not isinstance(exc, sqlite3.OperationalError):
            hint = "move the file away: what is still in the broker will be read again"
        raise BrokerUnavailable(f"{path} cannot be used: {exc}", hint=hint) from exc


def read_progress(path: Path, writer: str) -> Mark:
    """The consumer's progress in one writer's entries, for recovery by another process.

    Raises:
        BrokerUnavailable: the file is damaged or locked.
    """
    if not path.exists():
        return Mark()
    with sqlite_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        try:
            if not connection.execute(
                "SELECT 1 FROM sqlite_master WHERE name='progress'"
            ).fetchone():
                return Mark()
            row = connection.execute(
                "SELECT segment, offset, sequence, rows, size FROM progress WHERE writer = ?",
                (writer,),
            ).fetchone()
        finally:
            connection.close()
    return Mark(*row) if row else Mark()


class ConsumerState:
    """The open state file. Every method raises `BrokerUnavailable` and then changed nothing."""

    def __init__(self, path: Path, *, fsync: bool, dedup_window_s: float, clock: Clock) -> None:
        self._path = path
        self._window_s = dedup_window_s
        self._clock = clock
        self._opened_s = clock.monotonic_s()
        with sqlite_errors(path):
            self._db = open_sqlite(path, fsync=fsync)
            self._db.executescript(_SCHEMA)
            # A lost file must not make numbers come back: each new one starts at the time of day.
            first = max(clock.time_ns() // _NS_PER_MS, 1)
            if first <= _LAST_GROUP_NUMBER:
                self._db.execute("INSERT OR IGNORE INTO meta VALUES ('next_group', ?)", (first,))
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('age_s', 0.0)")
            meta = dict(self._db.execute("SELECT key, value FROM meta"))
            rows = self._db.execute(
                "SELECT writer, segment, offset, sequence, rows, size FROM progress"
            )
            self.progress: dict[str, Mark] = {row[0]: Mark(*row[1:]) for row in rows}
            plans = self._db.execute("SELECT number, plan, acked FROM groups ORDER BY number")
            self._plans = {n: (_plan(blob), bool(acked)) for n, blob, acked in plans}
        if "next_group" not in meta:
            self._db.close()
            raise BrokerUnavailable(
                "the clock is beyond May 2109, where numbers of groups end", hint="set the clock"
            )
        self._next_group: int = meta["next_group"]
        self._age_s: float = meta["age_s"]

    def unfinished(self) -> list[tuple[int, Plan, bool]]:
        """(number, plan, whether acknowledged) of every group not yet part of `progress`."""
        return [(number, plan, acked) for number, (plan, acked) in self._plans.items()]

    def fix(
        self, reads: list[list[Range]], ids: Sequence[tuple[str, int, bytes]]
    ) -> tuple[int, Plan]:
        """Decide a group; its number and its plan.

        ``ids`` are (writer, sequence, dedup id) of those of its entries that have one, in order.
        """
        age_s = self._age_s + self._clock.monotonic_s() - self._opened_s
        with self._transaction():
            self._db.execute("DELETE FROM seen WHERE at_s < ?", (age_s - self._window_s,))
            seen = self._seen([dedup_id for _, _, dedup_id in ids])
            dropped = []
            fresh = []
            for writer, sequence, dedup_id in ids:
                if dedup_id in seen:
                    dropped.append((writer, sequence))
                else:
                    seen.add(dedup_id)
                    fresh.append((dedup_id, age_s))
            plan = Plan(reads, dropped)
            number = self._next_group
            if number > _LAST_GROUP_NUMBER:
                raise BrokerUnavailable(f"all {_LAST_GROUP_NUMBER} numbers of groups are used up")
            self._db.executemany("INSERT INTO seen VALUES (?, ?)", fresh)
            self._db.execute(
                "INSERT INTO groups (number, plan) VALUES (?, ?)",
                (number, msgspec.json.encode(plan)),
            )
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'next_group'", (number + 1,))
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'age_s'", (age_s,))
        self._next_group = number + 1
        self._plans[number] = (plan, False)
        return number, plan

    def ack(self, number: int) -> Mapping[str, Mark]:
        """Note that a group is in the store; the progress this made, by writer.

        Progress never passes a group that is not acknowledged. Acknowledging twice is no error.

        Raises:
            ValueError: no such group was ever fixed.
        """
        if number not in self._plans:
            if number >= self._next_group:
                raise ValueError(f"group {number} was never fixed")
            return {}
        done: list[int] = []
        moved: dict[str, Mark] = {}
        for each, (plan, acked) in self._plans.items():
            if not (acked or each == number):
                break
            done.append(each)
            moved.update((part.writer, part.after) for read in plan.reads for part in read)
        with self._transaction():
            if number not in done:
                self._db.execute("UPDATE groups SET acked = 1 WHERE number = ?", (number,))
            self._db.executemany("DELETE FROM groups WHERE number = ?", [(n,) for n in done])
            self._db.executemany(
                "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)",
                [(writer, *mark) for writer, mark in moved.items()],
            )
        for each in done:
            del self._plans[each]
        if number in self._plans:
            self._plans[number] = (self._plans[number][0], True)
        self.progress.update(moved)
        return moved

    def close(self) -> None:
        self._db.close()

    def _seen(self, ids: Sequence[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        for first in range(0, len(ids), _IDS_PER_QUERY):
            part = ids[first : first + _IDS_PER_QUERY]
            places = ",".join("?" * len(part))
            query = f"SELECT dedup_id FROM seen WHERE dedup_id IN ({places})"  # noqa: S608
            found.update(row[0] for row in self._db.execute(query, part))
        return found

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with sqlite_errors(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _plan(blob: bytes) -> Plan:
    return msgspec.json.decode(blob, type=Plan)
