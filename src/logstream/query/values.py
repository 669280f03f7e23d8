"""Reading a field's value off a `Record`."""

from __future__ import annotations

from collections.abc import Mapping

from logstream.query.fields import Attribute, AttributeMap, Column, FieldRef
from logstream.record import Record

__all__ = ["attribute_value", "field_value", "present_value"]


def attribute_value(attribute: Attribute, record: Record) -> str | None:
    """The attribute's text, or ``None`` where the record lacks the key; no fallback."""
    for attributes in _maps(attribute.where, record):
        value = attributes.get(attribute.key)
        if value is not None:
            return value
    return None


def field_value(ref: FieldRef, record: Record) -> str | int | None:
    """What a result shows: a column's value, an attribute's text, ``None`` where it is lacking."""
    if isinstance(ref, Column):
        value: str | int = getattr(record, ref.record_field)
        return value
    text = attribute_value(ref, record)
    if text is None and ref.fallback is not None:
        return str(getattr(record, ref.fallback.record_field))
    return text


def present_value(ref: FieldRef, record: Record) -> str | int | None:
    """What aggregates see: as `field_value`, but an empty column (``""``, 0) is ``None`` too."""
    if isinstance(ref, Attribute):
        text = attribute_value(ref, record)
        if text is not None or ref.fallback is None:
            return text
        column = ref.fallback
        return str(getattr(record, column.record_field) or "") or None
    value: str | int = getattr(record, ref.record_field)
    return value if value or ref.name == "timestamp" else None


def _maps(where: AttributeMap, record: Record) -> tuple[Mapping[str, str], ...]:
    match where:
        case AttributeMap.OWN:
            return (record.attributes,)
        case AttributeMap.RESOURCE:
            return (record.resource,)
        case AttributeMap.SCOPE:
            return (record.scope_attributes,)
        case AttributeMap.ANY:
            return (record.attributes, record.resource, record.scope_attributes)
