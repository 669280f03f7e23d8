"""In which order a filter's conditions reach ClickHouse."""

from __future__ import annotations

from itertools import permutations

import pytest

from logstream.query import parse
from logstream.query.clickhouse_filter import Params, compile_filter


def _places(text: str, *pieces: str) -> list[int]:
    """Where each piece first stands in the SQL of a filter; hints to indexes left out."""
    sql = compile_filter(parse(text).filter, Params())
    return [sql.index(piece) for piece in pieces]


@pytest.mark.parametrize("words", [*permutations(("region:eu", "killed", "level:error"))])
def test_the_cheapest_condition_comes_first(words: tuple[str, ...]) -> None:
    """However it was written: small columns, then the message, then attributes, so that
    attributes are read only of rows that passed the rest."""
    places = _places(" ".join(words), "SeverityNumber", "lower(Body)", "LogAttributes[")
    assert places == sorted(places)


def test_a_group_is_as_dear_as_its_dearest_part() -> None:
    """An alternative that may need an attribute is asked after a condition on the message."""
    places = _places("(level:error OR region:eu) killed", "lower(Body)", "SeverityNumber")
    assert places == sorted(places)


def test_a_refused_condition_keeps_its_place() -> None:
    """`NOT` changes nothing about what a condition has to read."""
    places = _places("NOT region:eu NOT killed", "lower(Body)", "LogAttributes[")
    assert places == sorted(places)
