"""Report how full broker and store are."""

from __future__ import annotations

import logging

from logstream import metrics
from logstream.broker.base import Broker, BrokerStatus
from logstream.clock import NS_PER_S, Clock
from logstream.store.base import Store

__all__ = ["BACKLOG_HIGH", "BACKLOG_LOW", "backlog_is_high", "report_broker", "report_store"]

BACKLOG_HIGH = 0.7
BACKLOG_LOW = 0.6

_log = logging.getLogger(__name__)


def backlog_is_high(status: BrokerStatus, was_high: bool) -> bool:
    """Whether a person should know; it ends a little lower than it begins, so as not to flap."""
    share = status.bytes / status.capacity_bytes if status.capacity_bytes else 0.0
    return share >= (BACKLOG_LOW if was_high else BACKLOG_HIGH)


async def report_broker(broker: Broker, *, clock: Clock, was_high: bool) -> bool:
    """Set the broker's gauges, and warn when its backlog becomes high; whether it is."""
    status = await broker.status()
    oldest_ns = status.oldest_received_ns
    age_ns = max(0, clock.time_ns() - oldest_ns) if oldest_ns is not None else 0
    metrics.BROKER_ENTRIES.set(status.entries)
    metrics.BROKER_ROWS.set(status.rows)
    metrics.BROKER_BYTES.set(status.bytes)
    metrics.BROKER_CAPACITY_BYTES.set(status.capacity_bytes)
    metrics.BROKER_OLDEST_SECONDS.set(age_ns / NS_PER_S)
    metrics.BROKER_QUARANTINED.set(status.quarantined)
    metrics.DEAD_LETTERS.set(status.dead_letters)
    is_high = backlog_is_high(status, was_high)
    if is_high != was_high:
        _log.warning(
            "%d records wait for the store, %.0f %% of what the broker may hold%s",
            status.rows,
            100 * status.bytes / status.capacity_bytes,
            "; beyond that requests are refused" if is_high else ": falling again",
        )
    return is_high


async def report_store(store: Store) -> None:
    """Set the store's gauges.

    Raises:
        StoreError: it does not answer.
    """
    stats = await store.stats()
    metrics.STORE_ROWS.set(stats.rows)
    metrics.STORE_BYTES.set(stats.bytes)
