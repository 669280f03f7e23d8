"""A worker's lease: as long as it is renewed, what the worker holds is its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence

from logstream.broker.redis.control_scripts import ADOPT, BUMP, CLOSE, JOIN, RENEW
from logstream.broker.redis.entries import Plan, parse_plan
from logstream.broker.redis.keys import Control
from logstream.broker.redis.link import Link
from logstream.errors import LeaseLost

__all__ = ["Lease"]


class Lease:
    """Held under a name that nobody else ever has; once lost, it never comes back.

    Attributes:
        lock: Held while it is decided which groups are ours.
    """

    def __init__(self, link: Link, control: Control, *, lease_s: float) -> None:
        host = socket.gethostname().replace("|", "-").replace(" ", "-")
        self.worker = f"{host}-{secrets.token_hex(6)}"
        self.epoch = ""
        self.lock = asyncio.Lock()
        self._link = link
        self._control = control
        self._lease_ms = int(lease_s * 1000)
        self._lost = ""

    async def join(self, shards: int) -> int:
        """Take it; how many shards there are."""
        control = self._control
        epoch, known = await self._link.call(
            JOIN, (control.meta, control.workers), (self.worker, self._lease_ms, shards)
        )
        self.epoch = epoch.decode()
        return int(known)

    def check(self) -> None:
        """
        Raises:
            LeaseLost: it was.
        """
        if self._lost:
            raise LeaseLost(self._lost, hint="what was read is read again, by whoever took over")

    def lose(self, why: str) -> LeaseLost:
        """Note that it was lost; the error to raise."""
        self._lost = self._lost or why
        return LeaseLost(self._lost)

    async def renew(self) -> int:
        """How many shards there are.

        Raises:
            LeaseLost: somebody took over.
        """
        control = self._control
        shards: int = await self._link.call(
            RENEW, (control.meta, control.workers), (self.worker, self._lease_ms)
        )
        if not shards:
            raise self.lose(f"worker {self.worker} was silent too long: others took over")
        return shards

    async def adopt(
        self, *, expire: bool, held: Callable[[], Sequence[int] | None]
    ) -> tuple[set[str], int, Plan | None]:
        """Who is alive, and a group that is nobody's, now ours.

        Args:
            expire: End the leases that ran out first.
            held: Groups that are ours already; ``None`` when no more should be taken.

        Raises:
            LeaseLost: somebody took over from us.
        """
        control = self._control
        # Without the lock a group could look forsaken whose number is on its way to us.
        async with self.lock:
            groups = held()
            answer = await self._link.call(
                ADOPT,
                (control.workers, control.groups, control.last_fix),
                (self.worker, int(expire), int(groups is not None), *(groups or ())),
            )
        if not answer:
            raise self.lose(f"worker {self.worker} was silent too long: others took over")
        names, number, blob = answer
        plan = parse_plan(blob) if blob else None
        return {name.decode() for name in names}, int(number), plan

    async def bump(self) -> LeaseLost:
        """End the epoch, with all leases: a consumer group was lost; the error to raise."""
        control = self._control
        keys = (control.meta, control.workers, control.last_fix)
        await self._link.call(BUMP, keys, (self.epoch,))
        return self.lose("Redis lost a consumer group: all workers begin anew")

    async def close(self) -> None:
        await self._link.call(
            CLOSE, (self._control.workers, self._control.last_fix), (self.worker,)
        )
