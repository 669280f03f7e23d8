"""Quantities: texts such as ``1.5s``, ``1m30s``, ``250 ms``, ``10kB``, and what they amount to.

A `Dimension` says everything by a pattern and a table, so that an engine can be told the same: a
text's quantity is the sum of its numbers, each times its unit's factor, added up in the order in
which they are written, in 64-bit floats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from logstream.query.text import UNSIGNED_NUMBER

__all__ = ["DURATION", "SIZE", "Dimension", "dimension_of", "unit_in_name"]


class Dimension:
    """What can be compared with each other.

    Args:
        name: For people.
        units: Factors of the units, in lower case.
        parts: RE2 patterns of units; a text has a number before each of some of them, in order.

    Attributes:
        pattern: RE2 pattern of a whole text: group 1 is the sign, groups 2 and 3 the first number
            and unit, and so on. It also takes a text without any number; ``endings`` tell.
        endings: Last characters of the units.
        pairs: How many numbers with units the pattern has.
    """

    def __init__(self, name: str, units: Mapping[str, float], parts: tuple[str, ...]) -> None:
        self.name = name
        self.units = MappingProxyType(dict(units))
        letters = {unit[-1] for unit in units}
        self.endings = "".join(sorted(letters | {letter.upper() for letter in letters}))
        self.pairs = len(parts)
        pairs = "".join(f"(?:({UNSIGNED_NUMBER}) ?({part}))?" for part in parts)
        self.pattern = f"^([+-]?){pairs}$"
        self._shape = re.compile(f"([+-]?){pairs}")

    def amount(self, text: str) -> float | None:
        """How many nanoseconds or bytes the text says; ``None``: it is no such quantity."""
        found = self._shape.fullmatch(text) if text and text[-1] in self.endings else None
        if found is None:
            return None
        total = 0.0
        for number, unit in zip(found.groups()[1::2], found.groups()[2::2], strict=True):
            if number is not None:
                total += float(number) * self.units[unit.lower()]
        if not math.isfinite(total):
            return None
        return -total if found[1] == "-" else total


DURATION = Dimension(
    "duration",
    {
        "d": 86_400e9, "h": 3_600e9, "m": 60e9, "s": 1e9, "ms": 1e6,
        "us": 1e3, "\N{MICRO SIGN}s": 1e3, "\N{GREEK SMALL LETTER MU}s": 1e3, "ns": 1.0,
    },
    ("d", "h", "m", "s|ms|us|\N{MICRO SIGN}s|\N{GREEK SMALL LETTER MU}s|ns"),
)  # fmt: skip
"""In nanoseconds: ``1.5s``, ``-250ms``, ``1h0m2.5s``."""

_POWERS = tuple(enumerate("kmgtp", 1))
SIZE = Dimension(
    "size",
    {"b": 1.0}
    | {f"{prefix}b": 1_000.0**power for power, prefix in _POWERS}
    | {f"{prefix}ib": 1_024.0**power for power, prefix in _POWERS},
    ("(?:[kKmMgGtTpP][iI]?)?[bB]",),
)
"""In bytes, upper and lower case alike: ``512B``, ``10kB`` (10 000), ``10KiB`` (10 240)."""

_NAME_END = re.compile(r"(?:^|[^A-Za-z]|(?<=[a-z0-9])(?=[A-Z]))([A-Za-z]{1,12})$")
_NAMES: Mapping[str, tuple[Dimension, float]] = {
    **{name: (DURATION, DURATION.units[unit]) for name, unit in (
        ("ns", "ns"), ("nanos", "ns"), ("nanoseconds", "ns"),
        ("us", "us"), ("micros", "us"), ("microseconds", "us"),
        ("ms", "ms"), ("msec", "ms"), ("millis", "ms"), ("milliseconds", "ms"),
        ("s", "s"), ("sec", "s"), ("secs", "s"), ("seconds", "s"), ("minutes", "m"),
    )},
    **{name: (SIZE, factor) for name, factor in SIZE.units.items() if name != "b"},
    "bytes": (SIZE, 1.0),
}  # fmt: skip


def dimension_of(text: str) -> Dimension | None:
    """The dimension of which the text is a quantity, or ``None``."""
    return next((each for each in (DURATION, SIZE) if each.amount(text) is not None), None)


def unit_in_name(name: str, dimension: Dimension) -> float | None:
    """The factor of plain numbers in a field whose name ends in its unit: ``duration_ms``,
    ``http.response.size_bytes``, ``elapsedMs``; ``None``: the name does not tell."""
    found = _NAME_END.search(name)
    said, factor = _NAMES.get(found[1].lower(), (None, 0.0)) if found else (None, 0.0)
    return factor if said is dimension else None
