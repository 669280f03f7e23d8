"""One follower of the broker for all live tails of a process.

The hub reads every entry once and keeps the newest as they are, compressed; it decodes and filters
only while somebody listens, in a thread. It holds nobody back: it falls behind before anything
else does, and then says how many entries it missed.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import msgspec

from logstream import metrics
from logstream.broker.base import Broker
from logstream.clock import SYSTEM_CLOCK, Clock
from logstream.errors import BrokerUnavailable, TooManyRequests
from logstream.live.backfill import beside, from_ring, from_store, newest
from logstream.live.events import Place
from logstream.live.feed import Feed
from logstream.live.marks import Mark, Marks
from logstream.live.ring import Item, block_of
from logstream.live.select import Matcher, Selected, Selector
from logstream.live.tail import Chunk, Tail, chunk_of
from logstream.query import Filter
from logstream.settings import Settings
from logstream.store.base import Store

__all__ = ["MAX_BACKFILL", "Hub"]

MAX_BACKFILL = 1_000
_RING_BYTES = 16 << 20
_RESUMED_AT_ONCE = 100


class _Offer(msgspec.Struct, frozen=True):
    """What some items mean to one tail; ``seen`` is the number of the item after them."""

    tail: Tail
    chunk: Chunk | None
    selected: Selected
    seen: int
    sample: int
    failure: Exception | None = None


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
        self._feed = Feed(broker, ring_bytes=ring_bytes, spread=self._spread, torn=self._torn)
        self._ring = self._feed.ring
        self._tails: dict[Tail, Selector] = {}
        self._held: dict[Tail, list[_Offer]] = {}
        self._opening = 0

    async def start(self) -> None:
        """Follow from now on.

        Raises:
            BrokerUnavailable: the broker cannot be followed.
        """
        await self._feed.start()

    async def close(self) -> None:
        """End all tails and stop following. Idempotent."""
        for tail in list(self._tails):
            tail.close()
        await self._feed.close()

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
        caught_up = limit > 0 and self._store is not None and await self._feed.catch_up()
        # The cut: nothing may wait between copying the ring and joining.
        items = self._ring.items()
        whole = not self._feed.lacks_behind(mark)
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
        caught_up = await self._feed.catch_up()
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
            tail.offer(chunk, selected, seen=seen, sample=1, missed=self._feed.missed)
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

    async def _spread(self, items: list[Item]) -> None:
        tails = dict(self._tails)  # before anything waits: whoever joins later begins behind these
        if tails:
            for offer in await asyncio.to_thread(self._offers, items, tails):
                self._give(offer)

    def _torn(self) -> None:
        # Who comes again, from a place that is none any more, is told of the gap and closes it.
        for tail in list(self._tails):
            tail.close()

    def _offers(self, items: list[Item], tails: Mapping[Tail, Selector]) -> list[_Offer]:
        """What the items mean to each tail. CPU-bound."""
        block = block_of(items)
        if block is None:
            return []
        now_s = self._clock.monotonic_s()
        seen = items[-1].number + 1
        offers = []
        for tail, selector in tails.items():
            try:
                selected = selector.select(block.rows, now_s)
                chunk = chunk_of(block, selected.rows, self.name) if selected.rows else None
            except Exception as exc:  # noqa: BLE001 - told to its reader; the others go on
                metrics.TAIL_FAILURES.inc()
                offers.append(_Offer(tail, None, Selected([], 0, 0), seen, 1, exc))
            else:
                offers.append(_Offer(tail, chunk, selected, seen, selector.sample))
        return offers

    def _give(self, offer: _Offer) -> None:
        if offer.failure is not None:
            offer.tail.fail(offer.failure)
            return
        held = self._held.get(offer.tail)
        if held is not None:
            held.append(offer)
            return
        offer.tail.offer(
            offer.chunk,
            offer.selected,
            seen=offer.seen,
            sample=offer.sample,
            missed=self._feed.missed,
        )
