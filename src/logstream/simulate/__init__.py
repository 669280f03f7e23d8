"""Traffic that looks like a real fleet's, and the proof that all of it arrived exactly once.

`generate` draws records, `run` sends them and keeps a `ledger`, `verify` compares the ledger with
what the store holds.
"""

from __future__ import annotations

from logstream.simulate.generate import events
from logstream.simulate.ledger import Ledger, Outcome, read_ledger
from logstream.simulate.run import Plan, Progress, new_run, simulate
from logstream.simulate.scenario import SCENARIOS
from logstream.simulate.verify import Verdict, judge, verify

__all__ = [
    "SCENARIOS",
    "Ledger",
    "Outcome",
    "Plan",
    "Progress",
    "Verdict",
    "events",
    "judge",
    "new_run",
    "read_ledger",
    "simulate",
    "verify",
]
