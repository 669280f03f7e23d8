"""What the store holds by day, and letting go of the oldest days.

MongoDB has no partitions: a day goes by deleting its documents, one by one, whose room on the
disk is used again but not given back. A TTL index does the same on the server's own clock, so
that records also expire while no worker runs.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial

import msgspec

from logstream.clock import NS_PER_S
from logstream.errors import QueryTimeout
from logstream.store.base import DayUsage, StoreStats
from logstream.store.mongodb.documents import NS_PER_DAY
from logstream.store.mongodb.driver import Connection, Deadline, Doc

__all__ = ["TTL_INDEX", "Usage", "drop_days", "expire_after"]

TTL_INDEX = "day"
_MAX_EXPIRE_S = (1 << 31) - 1
_COUNT_TIMEOUT_S = 60.0
_COUNT_SHARE = 20
"""A full count is followed by this many times its own duration without one."""


_log = logging.getLogger(__name__)


class _Counted(msgspec.Struct, frozen=True):
    """Rows by day as of some moment; ``last_id``: of the newest row counted."""

    days: Counter[dt.datetime]
    last_id: int | None


class Usage:
    """Rows and bytes by day, without counting all rows each time it is asked.

    Rows get growing ids, so those counted before need not be counted again: only those with a
    larger id are. When that does not add up to what the server says there is (rows came in
    another order, or expired), all are counted again, but not all the time: until then the days
    do not add up to the rows.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._counted = _Counted(Counter(), None)
        self._next_full_s = 0.0

    def forget(self) -> None:
        """Count all again next time: rows were removed."""
        self._next_full_s = 0.0
        self._counted = _Counted(Counter(), None)

    async def stats(self) -> StoreStats:
        """See `Store.stats`."""
        rows = await self._connection.rows()
        days = await self._days(rows)
        counted = days.total()
        size = await self._bytes() if rows else 0
        oldest_ns, newest_ns = (
            await self._edge("timestamp_ns", 1),
            await self._edge("timestamp_ns", -1),
        )
        usage = []
        before = 0
        for day, count in sorted(days.items()):
            share = size * (before + count) // counted - size * before // counted
            usage.append(DayUsage(day=day.date().isoformat(), rows=count, bytes=share))
            before += count
        return StoreStats(
            rows=rows, bytes=size, oldest_ns=oldest_ns, newest_ns=newest_ns, days=usage
        )

    async def _days(self, rows: int) -> Counter[dt.datetime]:
        if self._counted.days.total() != rows:
            self._counted = await self._count(self._counted)
        if self._counted.days.total() != rows and time.monotonic() >= self._next_full_s:
            began_s = time.monotonic()
            try:
                self._counted = await self._count(_Counted(Counter(), None))
            except QueryTimeout:
                _log.warning(
                    "the records could not be counted by day within %s s", _COUNT_TIMEOUT_S
                )
            now_s = time.monotonic()
            self._next_full_s = now_s + _COUNT_SHARE * (now_s - began_s)
        return self._counted.days

    async def _count(self, since: _Counted) -> _Counted:
        """Rows up to the newest id of now, so that what arrives meanwhile is counted next time."""
        last_id = await self._edge("_id", -1)
        if last_id is None:
            return _Counted(Counter(), None)
        ids: Doc = {"$lte": last_id}
        if since.last_id is not None:
            ids["$gt"] = since.last_id
        pipeline: list[Doc] = [
            {"$match": {"_id": ids}},
            {"$group": {"_id": "$day", "n": {"$sum": 1}}},
        ]
        found = await self._connection.aggregate(pipeline, Deadline(_COUNT_TIMEOUT_S))
        counts = Counter({each["_id"]: each["n"] for each in found})
        return _Counted(since.days + counts, last_id)

    async def _edge(self, field: str, way: int) -> int | None:
        deadline = Deadline(_COUNT_TIMEOUT_S)
        batches = self._connection.batches(
            {}, deadline=lambda: deadline, sort=[(field, way)], projection={field: 1}, limit=1
        )
        found = [document async for batch in batches for document in batch]
        return int(found[0][field]) if found else None

    async def _bytes(self) -> int:
        """What the documents and their indexes take on the disk, less what is free for others."""
        answer = await self._connection.command({"collStats": self._connection.name})
        documents = int(answer.get("storageSize", 0))
        free = min(int(answer.get("freeStorageSize", 0)), documents)
        indexes = int(answer.get("totalIndexSize", 0))
        return (documents + indexes) * (documents - free) // max(documents, 1)


async def drop_days(connection: Connection, days: Sequence[str]) -> None:
    """Delete whole days, the oldest first."""
    for day in days:
        await connection.delete({"day": dt.datetime.fromisoformat(day)})


async def expire_after(connection: Connection, max_age_s: float, *, now_ns: int) -> bool:
    """Have the server expire days that ended longer ago than this; whether it can.

    Nothing is set while its clock, or ours, is more than a day from ``now_ns``: who is wrong is
    not for a timer to decide that deletes records.
    """
    hello = await connection.command({"hello": 1})
    server_ns = hello["localTime"].replace(tzinfo=dt.UTC).timestamp() * NS_PER_S
    if abs(server_ns - now_ns) > NS_PER_DAY:
        return True
    seconds = min(int(max_age_s) + 86_400, _MAX_EXPIRE_S)
    change = {
        "collMod": connection.name,
        "index": {"name": TTL_INDEX, "expireAfterSeconds": seconds},
    }
    return await connection.supported(partial(connection.command, change))
