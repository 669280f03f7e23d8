"""One follower of the broker for all live tails of a process.

The hub reads every entry once and keeps the newest as they are, compressed; it decodes and filters
only while somebody listens, in a thread. It holds nobody back: it falls behind before anything
else does, and then says how many entries it missed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from logstream import metrics
from logstream.broker.base import Broker, Entry, Follower, Position
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, TooManyRequests
from logstream.live.backfill import beside, from_ring, from_store, newest
from logstream.live.events import Place
from logstream.live.marks import Mark, Marks
from logstream.live.ring import Item, Ring, block_of
from logstream.live.select import Matcher, Selected, Selector
from logstream.live.tail import Chunk, Tail, chunk_of
from logstream.query import Filter
from logstream.settings import Settings
from logstream.store.base import Store

__all__ = ["MAX_BACKFILL", "Hub"]

MAX_BACKFILL = 1_000
_RING_BYTES = 16 << 20
_READ_BYTES = 1 << 20
_IDLE_S = 0.1
_REPEATS_REMEMBERED = 50_000
_CATCH_UP_S = 2.0
_RESUMED_AT_ONCE = 100
# Read by read, a busy broker's entries cost more in the reading than in what they hold.
_PACE_S = 0.02
_BROKER_RETRY_S = 1.0

_log = logging.getLogger(__name__)


class _Offer(msgspec.Struct, frozen=True):
    """What some items mean to one tail; ``seen`` is the number of the item after them."""

    tail: Tail
    chunk: Chunk | None
    selected: Selected
    seen: int
    sample: int


class Hub:
    """Opens tails; also a group listener of the worker, to know what is in the store.

    Args:
        store: Where backfill older than the ring comes from; ``None``: from the ring alone.
        told: This hub is a listener of the only worker that writes the store, from before that
            worker runs. Else records of the ring and of the store are told apart by what they
            hold.
        ring_bytes: Payload kept of the newest entries.
    """

    def __init__(
        self,
        broker: Broker,
        store: Store | None,
        settings: Settings,
        *,
        told: bool = True,
        clock: Clock = SYSTEM_CLOCK,
        ring_bytes: int = _RING_BYTES,
    ) -> None:
        self.name = secrets.token_hex(4)
        self._broker = broker
        self._store = store
        self._told = told
        self._max_tails = settings.tail_clients
        self._tail_capacity = settings.tail_buffer_records
        self._clock = clock
        self._marks = Marks()
        self._ring = Ring(ring_bytes)
        self._repeats: OrderedDict[bytes, None] = OrderedDict()
        self._tails: dict[Tail, Selector] = {}
        self._held: dict[Tail, list[_Offer]] = {}
        self._opening = 0
        self._catching_up: list[asyncio.Future[None]] = []
        self._follower: Follower | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow from now on.

        Raises:
            BrokerUnavailable: the broker cannot be followed.
        """
        self._follower = await self._broker.follower()
        self._task = asyncio.create_task(self._follow(self._follower))

    async def close(self) -> None:
        """End all tails and stop following. Idempotent."""
        for tail in list(self._tails):
            tail.close()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._follower is not None:
            await self._follower.close()

    def group_fixed(self, first_id: int) -> None:
        self._marks.group_fixed(first_id)

    def group_stored(self, end_id: int, upto: Mapping[str, int]) -> None:
        self._marks.group_stored(end_id, upto)

    async def open(self, where: Filter, *, backfill: int = 0, resume: str = "") -> Tail:
        """Follow the records that match.

        Args:
            backfill: Records from before now to begin with, at most `MAX_BACKFILL`.
            resume: ``resume`` of the last event that a client saw: go on from there instead of
                from a backfill; when that is too long ago, the tail's status says ``gap``.

        Raises:
            QueryError: the filter cannot be evaluated.
            TooManyRequests: as many tails are open as may be.
        """
        matcher = Matcher(where)
        if len(self._tails) + self._opening >= self._max_tails:
            raise TooManyRequests(
                f"{self._max_tails} live tails are open already", hint="raise tail_clients"
            )
        self._opening += 1
        try:
            if resume:
                return await self._resumed(matcher, resume)
            limit = min(backfill, MAX_BACKFILL)
            if limit and self._store is not None and not self._told:
                return await self._opened_untold(self._store, where, matcher, limit)
            return await self._opened(where, matcher, limit)
        finally:
            self._opening -= 1

    async def _opened(self, where: Filter, matcher: Matcher, limit: int) -> Tail:
        mark = self._marks.now()
        caught_up = limit > 0 and self._store is not None and await self._catch_up()
        # The cut: nothing may wait between copying the ring and joining.
        items = self._ring.items()
        whole = not self._lacks_behind(mark)
        tail = self._join(matcher)
        try:
            if not limit:
                tail.begin([], complete=True, gap=False)
                return tail
            if not caught_up:
                # The ring alone is always right: nothing in it comes live again.
                mark = Mark(None, {})
            rows = await asyncio.to_thread(
                from_ring, items, matcher, mark, limit=limit, hub=self.name
            )
            complete = len(rows) == limit
            if not complete and caught_up and self._store is not None:
                older = await from_store(
                    self._store, where, self._marks, mark, limit=limit - len(rows)
                )
                rows = older.rows + rows
                complete = older.complete and whole
        except BaseException:
            tail.close()
            raise
        tail.begin(rows, complete=complete, gap=False)
        return tail

    async def _opened_untold(
        self, store: Store, where: Filter, matcher: Matcher, limit: int
    ) -> Tail:
        oldest_waiting_ns = await self._oldest_waiting_ns()
        stored = await newest(store, where, limit=limit)
        caught_up = await self._catch_up()
        # The cut, as above.
        items = self._ring.items()
        tail = self._join(matcher)
        try:
            rows = await asyncio.to_thread(
                from_ring, items, matcher, Mark(None, {}), limit=limit, hub=self.name
            )
            complete = len(rows) == limit
            # What was found may still come live, unless all of it has been seen by now.
            if not complete and caught_up and stored is not None:
                rows = await asyncio.to_thread(beside, stored, rows, limit=limit)
                ring_ns = items[0].entry.message.received_ns if items else 1 << 63
                complete = oldest_waiting_ns is None or ring_ns < oldest_waiting_ns
        except BaseException:
            tail.close()
            raise
        tail.begin(rows, complete=complete, gap=False)
        return tail

    async def _oldest_waiting_ns(self) -> int | None:
        """When the oldest entry came that may not be in the store; ``None``: all are."""
        try:
            return (await self._broker.status()).oldest_received_ns
        except BrokerUnavailable:
            return 0

    async def _resumed(self, matcher: Matcher, resume: str) -> Tail:
        place = Place.parse(resume)
        ring = self._ring
        here = (
            place is not None and place.hub == self.name and ring.start <= place.number <= ring.end
        )
        items = [item for item in ring.items() if place and here and item.number >= place.number]
        tail = self._join(matcher, place if here else None)
        tail.begin([], complete=True, gap=not here)
        if place is None or not items:
            return tail
        # What comes meanwhile has to wait until it is its turn.
        self._held[tail] = []
        try:
            since = await asyncio.to_thread(self._since, items, matcher, place)
        except BaseException:
            tail.close()
            raise
        held = self._held.pop(tail, [])  # gone when the hub was closed meanwhile
        seen = items[-1].number + 1
        for chunk in since:
            selected = Selected(list(range(len(chunk.places))), len(chunk.places), 0)
            tail.offer(chunk, selected, seen=seen, sample=1, missed=self._missed)
        for offer in held:
            self._give(offer)
        return tail

    def _since(self, items: list[Item], matcher: Matcher, place: Place) -> list[Chunk]:
        chunks = []
        for start in range(0, len(items), _RESUMED_AT_ONCE):
            block = block_of(items[start : start + _RESUMED_AT_ONCE])
            if block is None:
                continue
            rows = [
                row
                for row in matcher.matching(block.rows)
                if (origin := block.origin(row))[0].number > place.number or origin[1] >= place.row
            ]
            if rows:
                chunks.append(chunk_of(block, rows, self.name))
        return chunks

    def _lacks_behind(self, mark: Mark) -> bool:
        """Whether entries behind the mark were seen and are in the ring no more, or not seen."""
        gone = self._ring.gone.items()
        return self._missed > 0 or any(
            not mark.covers(Position(writer, sequence)) for writer, sequence in gone
        )

    @property
    def _missed(self) -> int:
        return self._follower.missed if self._follower is not None else 0

    def _join(self, matcher: Matcher, start: Place | None = None) -> Tail:
        tail = Tail(
            hub=self.name,
            start=start or Place(self.name, self._ring.end, 0),
            capacity=self._tail_capacity,
            on_close=self._leave,
        )
        self._tails[tail] = Selector(matcher)
        metrics.TAILS.inc()
        return tail

    def _leave(self, tail: Tail) -> None:
        del self._tails[tail]
        self._held.pop(tail, None)
        metrics.TAILS.dec()

    async def _catch_up(self) -> bool:
        """Wait for a read, begun after now, that left nothing unread; whether there was one."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._catching_up.append(done)
        try:
            async with asyncio.timeout(_CATCH_UP_S):
                await done
        except TimeoutError:
            return False
        return True

    async def _follow(self, follower: Follower) -> None:
        failing = False
        while True:
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
            await self._spread(entries, waiters, more=more)
            if entries and not (more or self._catching_up):
                await asyncio.sleep(_PACE_S)

    async def _spread(
        self, entries: list[Entry], waiters: list[asyncio.Future[None]], *, more: bool
    ) -> None:
        # From here to the copy of the tails nothing may wait: whoever joins later begins behind.
        items = [self._ring.push(entry) for entry in entries if not self._is_repeat(entry)]
        tails = dict(self._tails)
        for waiter in waiters:
            if more:
                self._catching_up.append(waiter)
            elif not waiter.done():
                waiter.set_result(None)
        if items and tails:
            for offer in await asyncio.to_thread(self._offers, items, tails):
                self._give(offer)

    def _offers(self, items: list[Item], tails: Mapping[Tail, Selector]) -> list[_Offer]:
        """What the items mean to each tail. CPU-bound."""
        block = block_of(items)
        if block is None:
            return []
        now_s = self._clock.monotonic_s()
        seen = items[-1].number + 1
        offers = []
        for tail, selector in tails.items():
            selected = selector.select(block.rows, now_s)
            chunk = chunk_of(block, selected.rows, self.name) if selected.rows else None
            offers.append(_Offer(tail, chunk, selected, seen, selector.sample))
        return offers

    def _give(self, offer: _Offer) -> None:
        held = self._held.get(offer.tail)
        if held is not None:
            held.append(offer)
            return
        offer.tail.offer(
            offer.chunk,
            offer.selected,
            seen=offer.seen,
            sample=offer.sample,
            missed=self._missed,
        )

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
