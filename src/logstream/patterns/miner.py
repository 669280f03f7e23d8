"""Groups messages that are alike, as Drain does: a message goes to a group of messages with as many
words and the same first word, if enough of its words are the group's; the others become tokens.

Once groups stand, a second look at the messages counts what their tokens stood for.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from operator import eq
from typing import NamedTuple, TypeAlias

import msgspec

from logstream.patterns.masking import WILD, Kind, Shape, Word, read_shape
from logstream.patterns.template import Template, ValueCounts, kinds_of, parts_of, pattern_of
from logstream.query.matching import compile_pattern

__all__ = ["MAX_GROUPS", "Mined", "Sampled", "Stopped", "merged", "mine"]

MAX_GROUPS = 1_000
"""Templates of one sample; what fits none of them afterwards is `Mined.other`."""

_ALIKE, _LEFT = 0.65, 0.35
"""Shares of a group's text words, and of all its words, that a message of it must have."""
_MAX_CANDIDATES, _MAX_FIRST_WORDS = 100, 200
"""Groups that begin alike, and first words of messages of one length: without such bounds hostile
messages would have everything compared with everything."""
_ANY: Word = (WILD,)
_ATOM = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+|.", re.DOTALL)
_STOP_EVERY = 256


class Sampled(NamedTuple):
    """What is looked at of a record."""

    timestamp_ns: int
    level: str
    service: str
    message: str


class Mined(msgspec.Struct, frozen=True):
    """Templates, those of most messages first. ``other``: messages that were one too many."""

    templates: list[Template]
    other: int


class Stopped(Exception):
    """Nobody wants the result any more."""


class _Group:
    """Messages with one template."""

    __slots__ = ("gaps", "open", "wild", "words")

    def __init__(self, shape: Shape) -> None:
        self.words, self.gaps, self.open = shape
        self.wild = 0

    def take(self, shape: Shape) -> None:
        """Become what this shape, too, is one of."""
        self.words = tuple(map(merged, self.words, shape.words))
        self.gaps = tuple(map(_merged_gaps, self.gaps, shape.gaps))
        self.wild = sum(WILD in word for word in self.words if isinstance(word, tuple))

    def takes(self, shape: Shape, same: int) -> bool:
        """Whether a message with so many of its words is one of them."""
        words = len(self.words)
        return same >= max(_LEFT * words, _ALIKE * (words - self.wild), min(words, 1))


_Key: TypeAlias = tuple[int, bool, Word]


class _Groups:
    """Groups so far, and which shape belongs to which."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._buckets: defaultdict[_Key, list[_Group]] = defaultdict(list)
        self._first_words: Counter[tuple[int, bool]] = Counter()
        self._known: dict[Shape, _Group | None] = {}
        self._count = 0

    def of(self, shape: Shape) -> _Group | None:
        """The group that messages of this shape belong to; ``None``: there are too many."""
        if shape not in self._known:
            if self._stopped():
                raise Stopped
            self._known[shape] = self._find(shape)
        return self._known[shape]

    def _find(self, shape: Shape) -> _Group | None:
        bucket, words = self._bucket(shape), shape.words
        alike = [(sum(map(eq, group.words, words)), group) for group in bucket]
        taking = [(same, group) for same, group in alike if group.takes(shape, same)]
        if taking:
            _, best = max(taking, key=lambda each: each[0])
            best.take(shape)
            return best
        if self._count >= MAX_GROUPS or len(bucket) >= _MAX_CANDIDATES:
            return None
        made = _Group(shape)
        self._count += 1
        bucket.append(made)
        return made

    def _bucket(self, shape: Shape) -> list[_Group]:
        length = len(shape.words), shape.open
        first: Word = shape.words[0] if shape.words else ""
        if isinstance(first, tuple):
            first = _ANY
        if (*length, first) not in self._buckets:
            if self._first_words[length] >= _MAX_FIRST_WORDS:
                first = _ANY
            self._first_words[length] += 1
        return self._buckets[*length, first]


def mine(
    rows: Sequence[Sampled],
    *,
    most: int = MAX_GROUPS,
    stopped: Callable[[], bool] = lambda: False,
) -> Mined:
    """The templates of a sample, those of most messages first.

    Args:
        rows: In any order; the same in the same order give the same templates.
        most: Templates that are wanted; messages of further ones are other.
        stopped: Asked now and then, also by another thread's doing.

    Raises:
        Stopped: it said so.
    """
    groups = _Groups(stopped)
    shapes: dict[Shape, Shape] = {}
    found: defaultdict[_Group, list[Sampled]] = defaultdict(list)
    other = 0
    for row in rows:
        shape = read_shape(row.message)
        group = groups.of(shapes.setdefault(shape, shape))
        if group is None:
            other += 1
        else:
            found[group].append(row)
    largest = sorted(found.items(), key=lambda item: -len(item[1]))
    other += sum(len(members) for _, members in largest[most:])
    templates = [_template(group, members, stopped) for group, members in largest[:most]]
    return Mined(sorted(templates, key=lambda each: (-each.count, each.pattern)), other)


def _template(group: _Group, rows: list[Sampled], stopped: Callable[[], bool]) -> Template:
    words, gaps = group.words, group.gaps
    kinds = kinds_of(words)
    values = [ValueCounts() for _ in kinds]
    if kinds:
        match = compile_pattern(pattern_of(words, gaps, kinds, open=group.open, capture=True)).match
        for at, row in enumerate(rows):
            if at % _STOP_EVERY == 0 and stopped():
                raise Stopped
            found = match(row.message.encode())
            for value, text in zip(values, found.groups() if found else (), strict=False):
                value.add(text.decode("utf-8", "replace"))
    kinds = [value.kind(kind) for value, kind in zip(values, kinds, strict=True)]
    return Template(
        parts=tuple(parts_of(words, open=group.open)),
        tokens=tuple(value.token(kind) for value, kind in zip(values, kinds, strict=True)),
        pattern=pattern_of(words, gaps, kinds, open=group.open),
        open=group.open,
        literals=sum(len(part.text) for part in parts_of(words, open=False)),
        count=len(rows),
        services=Counter(row.service for row in rows),
        example=min(rows).message,
    )


def merged(one: Word, other: Word) -> Word:
    """The word that stands for both: what they begin and end with, and a token between."""
    if one == other:
        return one
    left, right = _atoms(one), _atoms(other)
    before = _common(left, right)
    if left[:before] == ["/"]:
        before = 0  # what begins all paths says nothing of these
    after = _common(left[before:][::-1], right[before:][::-1])
    end = len(left) - after
    return (*_joined(left[:before]), WILD, *_joined(left[end:]))


def _atoms(word: Word) -> list[str | Kind]:
    if isinstance(word, str):
        return list(_ATOM.findall(word))
    return [
        atom
        for piece in word
        for atom in (_ATOM.findall(piece) if isinstance(piece, str) else (piece,))
    ]


def _common(one: Sequence[str | Kind], other: Sequence[str | Kind]) -> int:
    """How many are the same from the start; up to a token, which what it stands for may pass."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right or left is WILD:
            break
        count += 1
    return count


def _joined(atoms: Sequence[str | Kind]) -> list[str | Kind]:
    pieces: list[str | Kind] = []
    for atom in atoms:
        if pieces and isinstance(atom, str) and isinstance(pieces[-1], str):
            pieces[-1] += atom
        else:
            pieces.append(atom)
    return pieces


def _merged_gaps(one: str, other: str) -> str:
    if one == other:
        return one
    return r"\s*" if not one or not other or r"\s*" in (one, other) else r"\s+"
