"""What a decoder is given and what it gives back: limits, errors by record, the result."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

import msgspec
import pyarrow as pa

from logstream.clock import NS_PER_S
from logstream.settings import Settings

__all__ = ["MAX_ERRORS", "Code", "Decoded", "RecordError", "Rejections", "WireLimits"]

MAX_ERRORS = 100
"""Errors described one by one; the rest of a body's errors are only counted."""

Code = Literal[
    "bad_json",
    "bad_utf8",
    "bad_timestamp",
    "empty",
    "key_too_long",
    "not_an_object",
    "too_deep",
    "too_many_attributes",
    "too_new",
    "too_old",
]


class WireLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one record may hold. ``past_s`` and ``future_s`` are relative to its receipt."""

    max_message_bytes: int = 1 << 20
    max_attributes: int = 1_000
    max_attribute_key_bytes: int = 256
    max_depth: int = 32
    past_s: float = 30 * 86_400.0
    future_s: float = 86_400.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            max_message_bytes=settings.max_message_bytes,
            max_attributes=settings.max_attributes,
            max_attribute_key_bytes=settings.max_attribute_key_bytes,
            max_depth=settings.max_depth,
            past_s=settings.window_past_s,
            future_s=settings.accept_future_s,
        )

    def window_ns(self, now_ns: int) -> tuple[int, int]:
        """Oldest and newest timestamp that is accepted at ``now_ns``."""
        return now_ns - int(self.past_s * NS_PER_S), now_ns + int(self.future_s * NS_PER_S)


class RecordError(msgspec.Struct, frozen=True):
    """Why the record at ``index`` (from 0, blank lines not counted) was refused."""

    index: int
    reason: str
    code: Code


class Rejections:
    """Collects errors: the first `MAX_ERRORS` whole, all of them by code."""

    __slots__ = ("by_code", "errors")

    def __init__(self) -> None:
        self.errors: list[RecordError] = []
        self.by_code: Counter[Code] = Counter()

    def add(self, index: int, reason: str, code: Code) -> None:
        self.by_code[code] += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(RecordError(index, reason, code))

    @property
    def total(self) -> int:
        return self.by_code.total()


class Decoded(msgspec.Struct, frozen=True):
    """A decoded body: every record is either a row of ``batch`` or counted in ``by_code``.

    ``batch`` is ``None`` when nothing was accepted. ``errors`` describes the first `MAX_ERRORS`
    refused records.
    """

    batch: pa.RecordBatch | None
    accepted: int
    errors: list[RecordError]
    by_code: dict[Code, int]

    @property
    def rejected(self) -> int:
        return sum(self.by_code.values())
