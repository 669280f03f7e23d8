"""The keys that people really send, and which field of a record each of them means.

Of several keys for one field the first in the order below wins, and only if its value can be that
field's (a text or a number; ``null`` never). Every other key is an attribute, a second key for a
field included. Names are compared after nested objects were flattened with dots, so
``{"log": {"level": "warn"}}`` is ``log.level``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FIELD_OF_KEY", "MESSAGE_KEYS", "OBJECTS", "SYNONYMS"]

SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "timestamp": ("timestamp", "@timestamp", "time", "ts", "datetime", "eventTime"),
        "level": (
            "level", "severity", "lvl", "log.level", "severity_text", "severityText",
            "loglevel", "levelname",
        ),
        "severity_number": ("severity_number", "severityNumber"),
        "message": ("message", "msg", "body", "log", "event"),
        "service": (
            "service", "service.name", "service_name", "serviceName", "app", "application",
        ),
        "trace_id": ("trace_id", "traceId", "trace.id", "traceID", "traceid"),
        "span_id": ("span_id", "spanId", "span.id", "spanID", "spanid"),
        "trace_flags": ("trace_flags", "traceFlags"),
        "event_name": ("event_name", "eventName"),
    }
)  # fmt: skip
"""Field → the keys that mean it, the strongest first."""

FIELD_OF_KEY: Mapping[str, tuple[str, int]] = MappingProxyType(
    {key: (field, rank) for field, keys in SYNONYMS.items() for rank, key in enumerate(keys)}
)
"""Key → its field and its rank among that field's keys (0 is the strongest)."""

MESSAGE_KEYS = frozenset(("message", "msg", "body"))
"""Keys that mean the message even when their value is an object or an array (kept as JSON)."""

OBJECTS = ("attributes", "resource", "scope")
"""Keys whose value, when it is an object, is not an attribute but holds some."""
