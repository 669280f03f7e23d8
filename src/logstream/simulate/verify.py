"""Proves from the outside that the store holds what was acknowledged, each record once."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from logstream.client import Connection
from logstream.clock import NS_PER_S
from logstream.errors import LogStreamError, RetryLater
from logstream.simulate.ledger import ACKNOWLEDGED, REFUSED, UNANSWERED, UNSENT, Outcome
from logstream.timestamps import format_timestamp

__all__ = ["Verdict", "count_stored", "judge", "verify"]

_MANY = 255
# Records of a burst may lie a little behind the end; clocks of two machines differ a little.
_MARGIN_NS = 3_600 * NS_PER_S


class Verdict(NamedTuple):
    """Counts of records. All is well when ``lost``, ``doubled``, ``refused_stored`` and
    ``unknown`` are 0.

    ``lost``: acknowledged and not in the store; ``doubled``: in the store more than once;
    ``refused_stored``: refused and in the store; ``unknown``: in the store under this run's name
    and never sent. Of the ``unanswered`` ones ``unanswered_stored`` are in the store, which is
    as good as not.
    """

    sent: int
    acknowledged: int
    refused: int
    unanswered: int
    stored: int
    unanswered_stored: int
    lost: int
    doubled: int
    refused_stored: int
    unknown: int

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.refused_stored or self.unknown)


def judge(states: bytes | bytearray, stored: bytes | bytearray, beyond: int = 0) -> Verdict:
    """Compare, for each sequence number, what became of a record with how often it is stored.

    Args:
        states: One of the ledger's constants for each number.
        stored: How often it was found, 255 meaning that or more; of the same length.
        beyond: Records found with a number that is not in the ledger.
    """
    counts = [0, 0, 0, 0]
    found = [0, 0, 0, 0]
    doubled = 0
    for state, times in zip(states, stored, strict=True):
        counts[state] += 1
        if times:
            found[state] += 1
            doubled += times > 1
    return Verdict(
        sent=len(states) - counts[UNSENT],
        acknowledged=counts[ACKNOWLEDGED],
        refused=counts[REFUSED],
        unanswered=counts[UNANSWERED],
        stored=sum(stored) + beyond,
        unanswered_stored=found[UNANSWERED],
        lost=counts[ACKNOWLEDGED] - found[ACKNOWLEDGED],
        doubled=doubled,
        refused_stored=found[REFUSED],
        unknown=found[UNSENT] + beyond,
    )


_LATER = frozenset({429, 503, 504})
"""Too much or too slow at the moment: asked again while there is time."""


class _Attributes(msgspec.Struct):
    seq: str = msgspec.field(name="simulate.seq")


class _Row(msgspec.Struct):
    attributes: _Attributes


_ROW = msgspec.json.Decoder(_Row)


def verify(connection: Connection, outcome: Outcome, *, timeout_s: float = 60.0) -> Verdict:
    """Ask the dashboard's API for every record of the run and judge.

    Waits, up to ``timeout_s``, until as many records can be found as were acknowledged: they
    become searchable a little after their acknowledgement. One byte a record is held.

    Raises:
        LogStreamError: the dashboard cannot be reached or refuses the question.
    """
    deadline = time.monotonic() + timeout_s
    wanted = outcome.states.count(ACKNOWLEDGED)
    while True:
        last = time.monotonic() >= deadline
        try:
            if last or count_stored(connection, outcome) >= wanted:
                verdict = _look(connection, outcome)
                # Enough in number may still be too few: something may be there twice.
                if last or verdict.good:
                    return verdict
        except RetryLater:
            if last:
                raise
        time.sleep(min(0.5, max(deadline - time.monotonic(), 0)))


def count_stored(connection: Connection, outcome: Outcome) -> int:
    """How many records of the run can be found.

    Raises:
        LogStreamError: as `verify`.
    """
    text = f'simulate.run:"{outcome.run}" | stats count() n'
    answer = connection.request("GET", "/api/v1/search?" + _question(outcome, text))
    if answer.status in _LATER:
        raise RetryLater(answer.error())
    if answer.status != 200:
        raise LogStreamError(f"{connection.url}: {answer.error()}")
    records = answer.json()["records"]
    return int(records[0]["n"]) if records else 0


def _look(connection: Connection, outcome: Outcome) -> Verdict:
    stored = bytearray(len(outcome.states))
    beyond = 0
    question = _question(outcome, f'simulate.run:"{outcome.run}"') + "&format=ndjson"
    answer, pieces = connection.stream("GET", "/api/v1/export?" + question)
    if answer.status in _LATER:
        raise RetryLater(answer.error())
    if answer.status != 200:
        raise LogStreamError(f"{connection.url}: {answer.error()}")
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if not line:
                continue
            try:
                seq = int(_ROW.decode(line).attributes.seq)
            except (msgspec.MsgspecError, ValueError) as exc:
                raise LogStreamError(f"the export holds a line without a number: {exc}") from exc
            if 0 <= seq < len(stored):
                stored[seq] = min(stored[seq] + 1, _MANY)
            else:
                beyond += 1
    if rest.strip():
        raise RetryLater("the export broke off")
    return judge(outcome.states, stored, beyond)


def _question(outcome: Outcome, query: str) -> str:
    now_ns = time.time_ns()
    return urlencode(
        {
            "query": query,
            "from": format_timestamp(max(outcome.start_ns - _MARGIN_NS, 0)),
            "to": format_timestamp(now_ns + _MARGIN_NS),
        }
    )
