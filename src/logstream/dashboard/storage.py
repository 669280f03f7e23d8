"""What the store keeps on disk, by day, and what the retention will come to."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from logstream.settings import Settings
from logstream.store.base import StoreStats
from logstream.timestamps import format_timestamp

__all__ = ["DayAnswer", "StorageAnswer", "disk_free", "storage_answer"]


class DayAnswer(msgspec.Struct):
    """One day (UTC) on disk."""

    day: str
    records: int
    bytes: int


class StorageAnswer(msgspec.Struct):
    """``forecast_bytes``: size once ``retention_s`` of days like the last whole ones are kept;
    ``disk_full_in_s``: when the disk would be full at that pace; null: it will not be."""

    records: int
    bytes: int
    bytes_per_record: float | None
    oldest: str | None
    newest: str | None
    days: list[DayAnswer]
    retention_s: float
    retention_size_bytes: int
    bytes_per_day: float | None
    forecast_bytes: float | None
    disk_free_bytes: int
    disk_full_in_s: float | None


def storage_answer(settings: Settings, stats: StoreStats, free_bytes: int) -> StorageAnswer:
    """What is kept and what it will come to; ``free_bytes``: free on the store's disk."""
    per_day = _bytes_per_day(stats)
    forecast = per_day * settings.retention_s / 86_400 if per_day is not None else None
    if forecast is not None and settings.retention_size_bytes:
        forecast = min(forecast, float(settings.retention_size_bytes))
    growth = None if forecast is None else forecast - stats.bytes
    full = growth is not None and per_day and growth > free_bytes
    return StorageAnswer(
        records=stats.rows,
        bytes=stats.bytes,
        bytes_per_record=stats.bytes / stats.rows if stats.rows else None,
        oldest=_time(stats.oldest_ns),
        newest=_time(stats.newest_ns),
        days=[DayAnswer(day.day, day.rows, day.bytes) for day in stats.days],
        retention_s=settings.retention_s,
        retention_size_bytes=settings.retention_size_bytes,
        bytes_per_day=per_day,
        forecast_bytes=forecast,
        disk_free_bytes=free_bytes,
        disk_full_in_s=free_bytes / per_day * 86_400 if full and per_day else None,
    )


def _bytes_per_day(stats: StoreStats) -> float | None:
    days = sorted(stats.days, key=lambda day: day.day)
    # Today has only begun, so it says little; it counts when there is nothing else.
    whole = days[-8:-1] or days[-1:]
    return sum(day.bytes for day in whole) / len(whole) if whole else None


def _time(timestamp_ns: int | None) -> str | None:
    return None if timestamp_ns is None else format_timestamp(timestamp_ns)


def disk_free(folder: Path) -> int:
    """Bytes free where a folder is, or will be. Blocks."""
    existing = next(
        each for each in (folder.absolute(), *folder.absolute().parents) if each.exists()
    )
    return shutil.disk_usage(existing).free
