"""What ``/api/v1/patterns`` answers, made of a template and of counts."""

from __future__ import annotations

import msgspec

from logstream.dashboard.facets import ValueAnswer, value_answers
from logstream.dashboard.pattern_counts import Counts
from logstream.patterns import Template
from logstream.severity import LEVELS
from logstream.store.base import ValueCount
from logstream.timestamps import format_timestamp

__all__ = ["OtherAnswer", "PatternAnswer", "PatternsAnswer", "pattern_answer", "share"]

TOP_VALUES = 10
TOP_SERVICES = 5
MAX_EXAMPLE_CHARS = 1_000


class PartAnswer(msgspec.Struct):
    """A piece of a template: text, or the number of one of its ``tokens``."""

    text: str
    token: int | None


class TokenValueAnswer(msgspec.Struct):
    """How many of the records looked at had the value; it may have been cut."""

    value: str
    count: int


class TokenAnswer(msgspec.Struct):
    """A place where messages differ. ``kind``: ``num``, ``hex``, ``uuid``, ``ip``, ``duration``,
    ``size``, ``time``, ``path``, ``url`` or ``*``. ``distinct`` values were seen in the records
    looked at; ``more``: at least so many."""

    kind: str
    values: list[TokenValueAnswer]
    distinct: int
    more: bool


class PatternAnswer(msgspec.Struct):
    """One template. ``filter`` is the query that finds its messages. ``count``, ``levels``,
    ``first_seen``, ``last_seen``, ``series``, ``previous``, ``change`` and ``new`` are of all that
    match if the answer is ``exact``, else estimated; ``tokens``, ``services`` and ``sampled`` are
    of the records looked at. ``change`` is relative to ``previous``; ``new``: none was there in the
    window before, though others were."""

    template: str
    parts: list[PartAnswer]
    tokens: list[TokenAnswer]
    filter: str
    count: int
    sampled: int
    share: float
    levels: dict[str, int]
    services: list[ValueAnswer]
    first_seen: str
    last_seen: str
    series: list[int]
    previous: int
    change: float | None
    new: bool
    example: str


class OtherAnswer(msgspec.Struct):
    """What fits none of the patterns listed."""

    count: int
    share: float
    series: list[int]


class PatternsAnswer(msgspec.Struct, rename={"from_": "from"}):
    """Commonest first. ``sampled`` of ``matched`` records were looked at to find patterns; if
    ``exact``, each of the matched ones was counted by the first pattern it fits. ``starts`` are the
    intervals of every ``series``."""

    from_: str
    to: str
    interval_s: float
    starts: list[str]
    matched: int
    previous_matched: int
    sampled: int
    exact: bool
    patterns: list[PatternAnswer]
    other: OtherAnswer


def pattern_answer(
    number: int, template: Template, now: Counts, before: Counts, starts: range
) -> PatternAnswer:
    """One template, and what was counted of it in this window and the one before."""
    found = now.of(number)
    count, previous = found.levels.total(), before.of(number).levels.total()
    tokens = [
        TokenAnswer(
            token.kind,
            [TokenValueAnswer(each.value, each.count) for each in token.values[:TOP_VALUES]],
            token.distinct,
            token.more,
        )
        for token in template.tokens
    ]
    commonest = sorted(template.services.items(), key=lambda item: (-item[1], item[0]))
    return PatternAnswer(
        template=template.text,
        parts=[PartAnswer(part.text, part.token) for part in template.parts],
        tokens=tokens,
        filter=str(template.filter),
        count=count,
        sampled=template.count,
        share=share(count, now.total),
        levels={each: found.levels[each] for each in ("", *LEVELS) if found.levels[each]},
        services=value_answers("service", [ValueCount(*each) for each in commonest[:TOP_SERVICES]]),
        first_seen=format_timestamp(found.first_ns),
        last_seen=format_timestamp(found.last_ns),
        series=[found.series[start_ns] for start_ns in starts],
        previous=previous,
        change=(count - previous) / previous if previous else None,
        new=previous == 0 and before.total > 0,
        example=template.example[:MAX_EXAMPLE_CHARS],
    )


def share(part: int, whole: int) -> float:
    """``part`` of ``whole``, 0 to 1."""
    return part / whole if whole else 0.0
