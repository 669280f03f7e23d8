"""Taking over: groups and entries that are nobody's, and what an unanswered call left behind.

Who may take what, so that no entry is ever in two hands:

* A worker is dead once its lease is removed; that is done by others, never undone, and from then
  on Redis refuses its `fix` and `ack`. Names are never used twice.
* Consumers of a shard are listed *before* the leases are: a worker had its lease before it could
  read, so one that is listed and has none is dead.
* An entry is claimed by a script that sees whether the dead worker still holds it.
* Entries of a fixed group are never claimed: they come with their group.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from logstream.broker.redis.control_scripts import FORGET, PLANS
from logstream.broker.redis.entries import Item, Plan, Run, id_key, parse_plan
from logstream.broker.redis.keys import Control
from logstream.broker.redis.lease import Lease
from logstream.broker.redis.link import Link
from logstream.broker.redis.reader import Intervals, ShardReader
from logstream.broker.redis.room import Room

__all__ = ["Sweep"]

_log = logging.getLogger(__name__)

_CLAIM_BYTES = 8 << 20
_CLAIM_IDS = 256
_TAIL_S = 5
_TAIL_BYTES = 64 << 20
"""Acknowledged entries left in a shard for followers that are a little behind."""


class _Plans(msgspec.Struct, frozen=True):
    open: Mapping[int, Plan]
    done: Mapping[int, Plan]

    def of_shard(self, shard: int) -> Intervals:
        return Intervals(_runs({**self.open, **self.done}, shard))


class Sweep:
    """
    Args:
        holds: The ids of a shard's entries that this worker has in its hands.
        keep: Takes entries into its hands.
        groups: Groups that are its own; ``None`` while it should get no more.
    """

    def __init__(
        self,
        link: Link,
        control: Control,
        lease: Lease,
        room: Room,
        *,
        lease_s: float,
        holds: Callable[[int], set[str]],
        keep: Callable[[list[Item]], None],
        groups: Callable[[], Sequence[int] | None],
    ) -> None:
        self._link = link
        self._control = control
        self._lease = lease
        self._room = room
        self._lease_s = lease_s
        self._holds = holds
        self._keep = keep
        self._groups = groups
        self._patient_until_s = 0.0
        self._old: Mapping[int, Plan] = {}
        self._lock = asyncio.Lock()

    def contact_lost(self) -> None:
        """Redis was away: all leases may have run out, so give the others time to renew."""
        self._patient_until_s = asyncio.get_running_loop().time() + self._lease_s

    async def learn_old_plans(self) -> None:
        """Plans of former epochs: their entries are handed out once more and must be left out."""
        plans = await self._plans()
        self._old = {
            number: plan
            for number, plan in {**plans.open, **plans.done}.items()
            if plan.epoch != self._lease.epoch
        }

    async def run(self, readers: Sequence[ShardReader]) -> tuple[int, Plan | None]:
        """Look around once, taking entries over; the number and plan of a group taken over."""
        async with self._lock:
            named = await asyncio.gather(*(reader.consumers() for reader in readers))
            expire = asyncio.get_running_loop().time() >= self._patient_until_s
            live, number, plan = await self._lease.adopt(expire=expire, held=self._groups)
            plans: _Plans | None = None
            for reader, names in zip(readers, named, strict=True):
                dead = [name for name in names if name not in live]
                if dead:
                    plans = plans or await self._plans()
                    await self._claim_orphans(reader, dead, plans)
            for reader in readers:
                await self.tidy(reader)
            await self._forget_done(readers)
            return number, plan

    async def tidy(self, reader: ShardReader) -> None:
        """Trim a shard; to the last when memory is short."""
        short = self._room.memory_is_short
        await reader.tidy(tail_s=0 if short else _TAIL_S, tail_bytes=0 if short else _TAIL_BYTES)

    async def recover(self, reader: ShardReader) -> None:
        """Take what was handed to us in an answer that never came. While there is more of it
        than fits at once, the shard stays doubtful."""
        pending = await reader.pending(self._lease.worker)
        known = self._holds(reader.number)
        missing = [id_ for id_ in pending if id_ not in known]
        items: list[Item] = []
        if missing:
            plans = await self._plans()
            missing = await self._in_no_group(reader, missing, plans)
            items = await self._claimed(reader, self._lease.worker, missing)
            self._keep(items)
        reader.doubtful = len(items) < len(missing)

    async def without_old(self, reader: ShardReader, items: list[Item]) -> list[Item]:
        """Entries but those of groups that were fixed in a former epoch."""
        if not self._old:
            return items
        known = Intervals(_runs(self._old, reader.number))
        old = [(item, known.group_of(item.id)) for item in items]
        if all(number is None for _, number in old):
            return items
        plans = await self._plans()
        # Those that are acknowledged already are so here too; the others will be with their group.
        await self._ack_done(reader, [i for i, n in old if n is not None], plans)
        kept = []
        batch = 0
        for item, number in old:
            if number is not None:
                batch = reader.next_batch()
            else:
                kept.append(msgspec.structs.replace(item, batch=batch) if batch else item)
        return kept

    async def _plans(self) -> _Plans:
        control = self._control
        opened, done = await self._link.call(PLANS, (control.groups, control.done))
        return _Plans(_parsed(opened), _parsed(done))

    async def _claim_orphans(self, reader: ShardReader, dead: Sequence[str], plans: _Plans) -> None:
        for name in dead:
            free = await self._in_no_group(reader, await reader.pending(name), plans)
            async with reader.lock:
                claimed = await self._claimed(reader, name, free)
                self._keep(claimed)
            if claimed:
                _log.warning(
                    "taking over %d of %d entries that %s had read and not written",
                    len(claimed),
                    len(free),
                    name,
                )
        await reader.drop_consumers(dead)

    async def _in_no_group(
        self, reader: ShardReader, ids: Sequence[str], plans: _Plans
    ) -> list[str]:
        """Those that are part of no plan. Of the others, which will come with their group, those
        whose group is done are acknowledged: nobody else will, and nothing is trimmed before."""
        intervals = plans.of_shard(reader.number)
        free: list[str] = []
        for id_ in ids:
            number = intervals.group_of(id_)
            if number is None:
                free.append(id_)
            elif number in plans.done:
                items = await reader.fetch(Run(reader.number, id_, id_, 1))
                await self._ack_done(reader, items, plans)
        return free

    async def _ack_done(self, reader: ShardReader, items: Sequence[Item], plans: _Plans) -> None:
        """Acknowledge those of groups that are done, counting them if nobody did."""
        intervals = plans.of_shard(reader.number)
        fresh: list[Item] = []
        counted: list[Item] = []
        for item in items:
            plan = plans.done.get(intervals.group_of(item.id) or 0)
            if plan is not None:
                (fresh if plan.owner == self._lease.epoch else counted).append(item)
        await reader.ack(fresh)
        await reader.forget(counted)

    @staticmethod
    async def _claimed(reader: ShardReader, owner: str, ids: Sequence[str]) -> list[Item]:
        """Of these ids as many as fit; what is left is found again by the next sweep."""
        items: list[Item] = []
        size = 0
        for first in range(0, len(ids), _CLAIM_IDS):
            if size >= _CLAIM_BYTES:
                break
            items += await reader.claim(owner, ids[first : first + _CLAIM_IDS], _CLAIM_BYTES)
            size = sum(item.bytes for item in items)
        return items

    async def _forget_done(self, readers: Sequence[ShardReader]) -> None:
        """Plans of which every entry is behind what its shard will ever hand out again."""
        done = (await self._plans()).done
        upto = {reader.number: reader.upto for reader in readers}
        over = [
            number
            for number, plan in done.items()
            if all(id_key(run.last) <= upto.get(run.shard, (0, 0)) for run in plan.runs)
        ]
        if over:
            await self._link.call(FORGET, (self._control.done,), over)


def _runs(plans: Mapping[int, Plan], shard: int) -> list[tuple[Run, int]]:
    return [
        (run, number) for number, plan in plans.items() for run in plan.runs if run.shard == shard
    ]


def _parsed(flat: Sequence[bytes]) -> dict[int, Plan]:
    return {int(flat[i]): parse_plan(flat[i + 1]) for i in range(0, len(flat), 2)}
