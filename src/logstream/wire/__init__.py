"""One module per protocol: bytes → a batch and per-record errors. Pure: no I/O, no clock."""

from __future__ import annotations

from logstream.wire.limits import Decoded, RecordError, Rejections, WireLimits
from logstream.wire.native import NativeDecoder

__all__ = ["Decoded", "NativeDecoder", "RecordError", "Rejections", "WireLimits"]
