"""The fast path's decoders: one compiled for the keys that a sender's records really have.

A *shape* is the tree of keys of some records: ``{"time": None, "http": {"status": None}}``. For a
shape that is simple enough (no two keys that mean one field, no two that flatten to one name) a
decoder is made that puts each value in its slot without building a dict, and knows for each slot
which column or attribute it is. A record with any other key does not decode, so nothing is lost:
the careful path takes over and the shape grows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow as pa

from logstream.record import TIMESTAMP_SOURCE
from logstream.wire.fields import FIELD_OF_KEY, MESSAGE_KEYS, OBJECTS
from logstream.wire.limits import WireLimits

__all__ = ["Compiled", "Node", "Shape", "Shapes", "compile_shape", "merge", "shape_of"]

Shape = dict[str, Any]
"""Key → ``None`` for a leaf, a `Shape` for an object."""

MAX_LEAVES = 64
MAX_SHAPES = 64
_COMPILE_ROWS = 50
_MAX_FAILURES = 16
_MISSING: Any = msgspec.UNSET


class Node:
    """One object of a compiled shape: which slot of an instance is what.

    ``leaves`` are (slot, where, name), ``nodes`` (slot, node), slots counted from 0 to ``width``.
    """

    __slots__ = ("default", "leaves", "nodes", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.leaves: list[tuple[int, str, str]] = []
        self.nodes: list[tuple[int, Node]] = []
        self.default: Any = None


class Compiled(msgspec.Struct):
    """A decoder for one shape. ``attributes`` and ``resource`` are final keys in key order."""

    shape: Shape
    root: Node
    lines: msgspec.json.Decoder[Any]
    array: msgspec.json.Decoder[Any]
    fields: frozenset[str]
    attributes: tuple[str, ...]
    resource: tuple[str, ...]
    mixed: set[str]  # attributes seen with values that are not texts
    repeated: dict[str, tuple[pa.Array, pa.Array]]  # where -> offsets and keys of many equal rows


class Shapes:
    """The compiled shapes in use, least recently used first; bounded."""

    def __init__(self, limits: WireLimits) -> None:
        self._limits = limits
        self._known: OrderedDict[object, Compiled] = OrderedDict()
        self._failures: dict[object, int] = {}

    def find(self, key: object) -> Compiled | None:
        compiled = self._known.get(key)
        if compiled is not None:
            self._known.move_to_end(key)
        return compiled

    def learn(self, key: object, values: Iterable[Any], rows: int) -> None:
        """See the records that the fast path could not take; next time it may.

        A key that keeps failing is given up: its records have something the fast path lacks.
        """
        failures = self._failures.get(key, 0) + 1
        if failures > _MAX_FAILURES or (rows < _COMPILE_ROWS and failures < 2):
            self._note(key, failures)
            return
        old = self._known.get(key)
        shape: Shape | None = dict(old.shape) if old else {}
        for value in values:
            seen = shape_of(value) if type(value) is dict else None
            shape = merge(shape, seen) if shape is not None and seen is not None else None
            if shape is None:
                break
        self._note(key, failures)
        if shape is not None and (old is None or shape != old.shape):
            compiled = compile_shape(shape, self._limits)
            if compiled is not None:
                self._known[key] = compiled
                self._known.move_to_end(key)
        while len(self._known) > MAX_SHAPES:
            self._known.popitem(last=False)

    def _note(self, key: object, failures: int) -> None:
        if len(self._failures) >= 16 * MAX_SHAPES:
            self._failures.clear()
        self._failures[key] = failures


def shape_of(value: dict[str, Any]) -> Shape | None:
    """The shape of one decoded record; ``None`` when it has what no slot can hold."""
    shape: Shape = {}
    for key, item in value.items():
        if type(item) is dict:
            inner = shape_of(item) if item or key == "attributes" else None
            if inner is None:
                return None
            shape[key] = inner
        elif type(item) is list:
            return None
        else:
            shape[key] = None
    return shape


def merge(one: Shape, other: Shape) -> Shape | None:
    """A shape that takes what either takes; ``None`` when a key is an object in one only."""
    merged = dict(one)
    for key, inner in other.items():
        if key not in merged:
            merged[key] = inner
        elif (merged[key] is None) != (inner is None):
            return None
        elif inner is not None and merged[key] != inner:
            both = merge(merged[key], inner)
            if both is None:
                return None
            merged[key] = both
    return merged


class _Unfit(Exception):
    """The shape needs the careful path."""


def compile_shape(shape: Shape, limits: WireLimits) -> Compiled | None:
    """A decoder for records of this shape, or ``None`` when only the careful path can read it."""
    targets: dict[tuple[str, str], None] = {}
    try:
        _depth(shape, limits.max_depth)
        root, kind = _node(shape, "", "", targets)
    except _Unfit:
        return None
    fields = {name for where, name in targets if where == "field"}
    if {"level", "severity_number"} <= fields:
        return None
    attributes = {name for where, name in targets if where == "attribute"}
    resource = {name for where, name in targets if where == "resource"}
    if "timestamp" not in fields:
        attributes.add(TIMESTAMP_SOURCE)
    longest = max((len(name.encode()) for name in attributes | resource), default=0)
    if (
        len(targets) >= min(MAX_LEAVES, limits.max_attributes)
        or longest > limits.max_attribute_key_bytes
        or ("attribute", TIMESTAMP_SOURCE) in targets
    ):
        return None
    return Compiled(
        shape=shape,
        root=root,
        lines=msgspec.json.Decoder(kind, float_hook=str),
        array=msgspec.json.Decoder(list[kind], float_hook=str),  # type: ignore[valid-type]  # made above
        fields=frozenset(fields),
        attributes=tuple(sorted(attributes)),
        resource=tuple(sorted(resource)),
        mixed=set(),
        repeated={},
    )


def _depth(shape: Shape, left: int) -> None:
    if left <= 0:
        raise _Unfit
    for inner in shape.values():
        if inner is not None:
            _depth(inner, left - 1)


def _node(
    shape: Shape, where: str, prefix: str, targets: dict[tuple[str, str], None]
) -> tuple[Node, type]:
    node = Node(len(shape))
    spec: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for number, (key, inner) in enumerate(shape.items()):
        slot = f"f{number}"
        names[slot] = key
        path = f"{prefix}.{key}" if prefix else key
        if inner is None:
            target = _target(where, path)
            if target in targets:
                raise _Unfit
            targets[target] = None
            node.leaves.append((number, *target))
            spec.append((slot, Any, _MISSING))
            continue
        child, kind = _node(inner, *_inside(where, key, path), targets)
        node.nodes.append((number, child))
        spec.append((slot, kind, child.default))
    try:
        made = msgspec.defstruct(
            "Shape", spec, rename=names, forbid_unknown_fields=True, frozen=True, gc=False
        )
    except ValueError as exc:  # quotes and control characters cannot be in a slot's name
        raise _Unfit from exc
    node.default = made()
    return node, made


def _target(where: str, path: str) -> tuple[str, str]:
    if where:
        return where, path
    if path in OBJECTS:
        raise _Unfit  # should be an object; the careful path knows what to do
    known = FIELD_OF_KEY.get(path)
    return ("field", known[0]) if known else ("attribute", path)


def _inside(where: str, key: str, path: str) -> tuple[str, str]:
    """Where an object's leaves go, and what their keys begin with."""
    if where:
        if path == "attributes":
            raise _Unfit  # resource.attributes has a meaning of its own
        return where, path
    if path == "attributes":
        return "attribute", ""
    if path == "resource":
        return "resource", ""
    if path == "scope" or path in MESSAGE_KEYS:
        raise _Unfit
    return "", path
