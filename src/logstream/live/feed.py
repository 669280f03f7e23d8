"""Every entry of the broker, read once, in the order in which it was seen."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from logstream import metrics
from logstream.broker.base import Broker, Entry, Follower, Position
from logstream.errors import BrokerUnavailable
from logstream.live.marks import Mark
from logstream.live.ring import Item, Ring

__all__ = ["Feed"]

_READ_BYTES = 1 << 20
_IDLE_S = 0.1
_REPEATS_REMEMBERED = 50_000
_CATCH_UP_S = 2.0
# Read by read, a busy broker's entries cost more in the reading than in what they hold.
_PACE_S = 0.02
_BROKER_RETRY_S = 1.0
_FIRST_PAUSE_S, _MAX_PAUSE_S = 1.0, 60.0

_log = logging.getLogger(__name__)


class Feed:
    """Follows the broker from `start` to `close`.

    Args:
        ring_bytes: Payload kept of the newest entries.
        spread: Given what is new; it begins in the step in which that joins the ring.
        torn: Called when entries may have been lost, in the step in which the ring was emptied.

    Attributes:
        ring: The newest entries, repeated requests left out.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        ring_bytes: int,
        spread: Callable[[list[Item]], Awaitable[None]],
        torn: Callable[[], None],
    ) -> None:
        self.ring = Ring(ring_bytes)
        self._broker = broker
        self._spread = spread
        self._tell_torn = torn
        self._repeats: OrderedDict[bytes, None] = OrderedDict()
        self._catching_up: list[asyncio.Future[None]] = []
        self._follower: Follower | None = None
        self._missed_before = 0
        self._torn = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow from now on.

        Raises:
            BrokerUnavailable: the broker cannot be followed.
        """
        self._follower = await self._broker.follower()
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop following. Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._follower is not None:
            await self._follower.close()

    @property
    def missed(self) -> int:
        """Entries that were deleted before they were seen."""
        return self._missed_before + (self._follower.missed if self._follower is not None else 0)

    def lacks_behind(self, mark: Mark) -> bool:
        """Whether entries behind the mark were seen and are in the ring no more, or not seen."""
        gone = self.ring.gone.items()
        return (
            self._torn
            or self.missed > 0
            or any(not mark.covers(Position(writer, sequence)) for writer, sequence in gone)
        )

    async def catch_up(self) -> bool:
        """Wait for a read, begun after now, that left nothing unread; whether there was one."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._catching_up.append(done)
        try:
            async with asyncio.timeout(_CATCH_UP_S):
                await done
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> None:
        """Read for ever; after an error that nobody expected begin anew, a while later."""
        clock_s = asyncio.get_running_loop().time
        pause_s = 0.0
        while True:
            began_s = clock_s()
            try:
                if pause_s:
                    await self._begin_anew()
                await self._read_on()
            except Exception:  # noqa: BLE001 - logged, counted, told; a tail that stands still is worse
                lasted = clock_s() - began_s > _MAX_PAUSE_S
                pause_s = _FIRST_PAUSE_S if lasted or not pause_s else pause_s * 2
                pause_s = min(pause_s, _MAX_PAUSE_S)
                metrics.TAIL_FAILURES.inc()
                _log.exception("live tail broke off, it begins anew in %g s", pause_s)
                await asyncio.sleep(pause_s)

    async def _begin_anew(self) -> None:
        """Follow from now on: what came since the error is not known."""
        if (old := self._follower) is not None:
            await old.close()
        follower = await self._broker.follower()
        if old is not None:
            self._missed_before += old.missed
        self._follower = follower
        self._torn = True
        self.ring.forget()
        self._tell_torn()

    async def _read_on(self) -> None:
        follower, failing = self._follower, False
        while follower is not None:
            waiters, self._catching_up = self._catching_up, []
            try:
                entries = await follower.read(
                    max_bytes=_READ_BYTES, wait_s=0 if waiters else _IDLE_S
                )
                failing = False
            except BrokerUnavailable as exc:
                if not failing:
                    _log.warning("live tail cannot read from the broker, trying on: %s", exc)
                failing = True
                self._catching_up += waiters
                await asyncio.sleep(_BROKER_RETRY_S)
                continue
            more = sum(len(entry.message.payload) for entry in entries) >= _READ_BYTES // 2
            # From here until `spread` has begun nothing may wait.
            items = [self.ring.push(entry) for entry in entries if not self._is_repeat(entry)]
            for waiter in waiters:
                if more:
                    self._catching_up.append(waiter)
                elif not waiter.done():
                    waiter.set_result(None)
            if items:
                await self._spread(items)
            if entries and not (more or self._catching_up):
                await asyncio.sleep(_PACE_S)

    def _is_repeat(self, entry: Entry) -> bool:
        """Whether the request behind the entry was seen before: the worker stores it once."""
        dedup_id = entry.message.dedup_id
        if not dedup_id:
            return False
        if dedup_id in self._repeats:
            return True
        self._repeats[dedup_id] = None
        if len(self._repeats) > _REPEATS_REMEMBERED:
            self._repeats.popitem(last=False)
        return False
