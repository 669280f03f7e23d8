"""What is wrong with the pipeline, and what to change: facts in, advice out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

__all__ = ["Advice", "advise"]


class Advice(msgspec.Struct):
    """``panel`` is where it shows: receive, validate, queue, batch, database or storage;
    ``change`` says what to do about it."""

    severity: Literal["critical", "warning", "info"]
    panel: str
    message: str
    change: str


_ORDER = {"critical": 0, "warning": 1, "info": 2}


def advise(
    *,
    failures: Mapping[str, str],
    broker_warnings: Iterable[str],
    fill: float,
    oldest_age_s: float | None,
    flush_interval_s: float,
    quarantined: int,
    dead_letters: int,
    recent: Mapping[str, int],
    disk_full_in_s: float | None,
    waiting: Mapping[str, float] = MappingProxyType({}),
    store_notes: Iterable[str] = (),
) -> list[Advice]:
    """Warnings, the gravest first.

    Args:
        failures: Panel → why it cannot answer (empty: it can).
        broker_warnings: What the broker itself says.
        fill: Share of the queue's capacity in use.
        oldest_age_s: Age of the oldest record not in the store.
        flush_interval_s: How long a record should wait at most.
        quarantined: Corrupt stretches of broker files set aside.
        dead_letters: Dead letters waiting.
        recent: How many records were rejected, inserts retried, requests refused just now.
        disk_full_in_s: When the disk will be full; ``None``: it will not.
        waiting: Seconds for which a worker has waited for store or broker, when they are many.
        store_notes: What to know of this kind of store.
    """
    found = [
        Advice("critical", panel, f"cannot be asked: {why}", "see the log; it may be restarting")
        for panel, why in failures.items()
        if why
    ]
    found += [
        Advice("warning", "queue", text, "see the operations guide") for text in broker_warnings
    ]
    found += [Advice("info", "database", text, "see the operations guide") for text in store_notes]
    found += _queue_advice(fill, oldest_age_s, flush_interval_s, recent)
    found += _failure_advice(quarantined, dead_letters, recent)
    found += [
        Advice(
            "critical",
            "database" if what == "store" else "queue",
            f"a worker has waited for the {what} for {seconds:.0f} s",
            f"see whether the {what} is up and can be reached from the worker; its log says more",
        )
        for what, seconds in waiting.items()
        if seconds > 0
    ]
    if disk_full_in_s is not None:
        days = disk_full_in_s / 86_400
        found.append(
            Advice(
                "critical" if days < 2 else "warning",
                "storage",
                f"the disk is full in about {days:.1f} days at this pace",
                "lower retention, set retention_size, or give the data folder a larger disk",
            )
        )
    return sorted(found, key=lambda each: _ORDER[each.severity])


def _queue_advice(
    fill: float, oldest_age_s: float | None, flush_interval_s: float, recent: Mapping[str, int]
) -> list[Advice]:
    found = []
    if fill >= 0.5:
        found.append(
            Advice(
                "critical" if fill >= 0.9 else "warning",
                "queue",
                f"the queue is {fill:.0%} full; senders are refused when it is full",
                "see whether the store is slow or down; raise broker_capacity to ride it out",
            )
        )
    # Ten intervals: slower than asked for, yet not what one long merge does.
    if oldest_age_s is not None and oldest_age_s > max(10 * flush_interval_s, 10):
        found.append(
            Advice(
                "warning",
                "batch",
                f"the oldest record has waited {oldest_age_s:.0f} s to be stored",
                "the store is slower than what arrives: raise flush_rows, or lighten its queries",
            )
        )
    if recent.get("refused"):
        found.append(
            Advice(
                "critical",
                "receive",
                f"{recent['refused']} requests were refused because nothing more could be taken",
                "senders retry; empty the queue by mending the store, or raise broker_capacity",
            )
        )
    return found


def _failure_advice(quarantined: int, dead_letters: int, recent: Mapping[str, int]) -> list[Advice]:
    found = []
    if recent.get("retried"):
        found.append(
            Advice(
                "warning",
                "database",
                f"{recent['retried']} inserts had to be tried again",
                "the store is down or out of disk; nothing is lost while the queue has room",
            )
        )
    if recent.get("rejected"):
        found.append(
            Advice(
                "info",
                "validate",
                f"{recent['rejected']} records were rejected",
                "the answer names each record and reason; mend the sender, or widen accept_past",
            )
        )
    if dead_letters:
        found.append(
            Advice(
                "warning",
                "database",
                f"{dead_letters} dead letters wait for somebody to look",
                "read their reasons, then replay or delete them",
            )
        )
    if quarantined:
        found.append(
            Advice(
                "critical",
                "queue",
                f"{quarantined} corrupt stretches of broker files were set aside",
                "check the disk; the files are kept beside the broker's own",
            )
        )
    return found
