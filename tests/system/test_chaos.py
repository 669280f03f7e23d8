"""Random kills under load, on engines apart; the whole matrix is ``make chaos``."""

from __future__ import annotations

import pytest

from tests.servers.mongodb import NoServer
from tests.system import chaos


@pytest.mark.parametrize("pair", ["redis+clickhouse", "redis+mongodb"])
def test_killing_any_part_loses_and_doubles_nothing(pair: str) -> None:
    """Whatever dies, Redis included: every acknowledged record is in the store exactly once."""
    try:
        report = chaos.run(pair, kills=3, rate=100, seed=7)
    except NoServer as exc:
        pytest.skip(str(exc))
    assert report.ok, report.output
