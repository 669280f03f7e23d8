"""The ledger and the judgement: what was promised is known exactly, and every breach is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.errors import CorruptData
from logstream.simulate import Ledger, judge, read_ledger
from logstream.simulate.ledger import ACKNOWLEDGED, REFUSED, UNANSWERED, UNSENT


def test_ledger_is_read_back(tmp_path: Path) -> None:
    """Sent, acknowledged, refused and unanswered records are told apart."""
    ledger = Ledger(tmp_path / "deep" / "run.ledger", "abc", 42)
    ledger.sent(0, 3)
    ledger.sent(5, 2)
    ledger.answered(0, 3, [1])
    ledger.sync()
    ledger.close()
    outcome = read_ledger(ledger.path)

    assert (outcome.run, outcome.start_ns) == ("abc", 42)
    assert list(outcome.states) == [
        ACKNOWLEDGED, REFUSED, ACKNOWLEDGED, UNSENT, UNSENT, UNANSWERED, UNANSWERED,
    ]  # fmt: skip
    assert ledger.path.stat().st_mode & 0o077 == 0


def test_cut_last_line_is_ignored(tmp_path: Path) -> None:
    """A crash in the middle of a line leaves its records unanswered."""
    path = tmp_path / "run.ledger"
    path.write_text("run abc 1\nsent 0 2\nack 0 2")
    assert list(read_ledger(path).states) == [UNANSWERED, UNANSWERED]


@pytest.mark.parametrize(
    "text",
    ["", "hello\n", "run abc 1\nack 0 5 -\n", "run abc 1\nsent 0 2\nack 0 2 9\n",
     "run abc 1\nsent -1 2\n", "run abc 1\nsent 0 99999999999\n", "run abc 1\nwhat 1 2\n"],
)  # fmt: skip
def test_damaged_ledgers_are_refused(tmp_path: Path, text: str) -> None:
    """What is no ledger is an error, never a verdict."""
    path = tmp_path / "run.ledger"
    path.write_text(text)
    with pytest.raises(CorruptData):
        read_ledger(path)


def test_ledger_is_never_overwritten(tmp_path: Path) -> None:
    """Two runs never share a file."""
    Ledger(tmp_path / "x", "a", 1).close()
    with pytest.raises(FileExistsError):
        Ledger(tmp_path / "x", "b", 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=50))
def test_judgement(pairs: list[tuple[int, int]]) -> None:
    """A verdict is good exactly when each record is stored as often as it may be."""
    states = bytes(state for state, _ in pairs)
    stored = bytes(times for _, times in pairs)
    allowed = {ACKNOWLEDGED: {1}, UNANSWERED: {0, 1}, REFUSED: {0}, UNSENT: {0}}
    verdict = judge(states, stored)

    assert verdict.good == all(times in allowed[state] for state, times in pairs)
    assert verdict.lost == sum(state == ACKNOWLEDGED and not times for state, times in pairs)
    assert verdict.doubled == sum(times > 1 for _, times in pairs)
    assert not judge(states, stored, beyond=1).good
