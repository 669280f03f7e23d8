"""What the pages show while the store fails in part, or takes its time."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from logstream.query import Filter
from logstream.record import Record
from logstream.store.base import (
    Cursor,
    QueryLimits,
    QueryProgress,
    SearchPage,
    TimeRange,
)
from logstream.store.memory import MemoryStore
from logstream.testing.faults import FaultyStore
from tests.e2e.inside import dashboard_over

LIMITS = QueryLimits()
S = 10**9


def _records() -> list[Record]:
    """300 records, one every two seconds until now."""
    now_ns = time.time_ns()
    return [
        Record(
            timestamp_ns=now_ns - ago * 2 * S,
            message=f"number {ago}",
            level="error" if ago % 10 == 0 else "info",
            severity_number=17 if ago % 10 == 0 else 9,
            service="shop",
        )
        for ago in range(1, 301)
    ]


def test_a_panel_of_the_overview_fails_alone(
    chromium: str, open_page: Callable[[str], Page]
) -> None:
    """One panel's query fails: it says why, keeps what it showed, and the others go on; Retry, once
    the store answers again, brings it back."""
    store = FaultyStore(MemoryStore())
    with dashboard_over(store, _records()) as url:
        store.failing = {"search"}
        page = open_page(f"{url}/")
        newest = page.get_by_role("region", name="Newest errors")
        expect(newest.get_by_role("alert")).to_contain_text("down, on purpose")
        expect(newest.get_by_text(re.compile("^request [0-9a-f]{16}$"))).to_be_visible()
        noisiest = page.get_by_role("region", name="Noisiest services")
        expect(noisiest.get_by_text("shop")).to_be_visible()
        expect(page.get_by_role("region", name="Volume by level")).to_contain_text("per bar")
        expect(page.get_by_role("alert")).to_have_count(1)
        store.failing = set()
        newest.get_by_role("button", name="Retry").click()
        expect(newest.get_by_text("number 10", exact=True)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        store.failing = {"facets", "histogram"}
        expect(noisiest.get_by_role("alert")).to_contain_text("Not updating: down, on purpose")
        expect(noisiest.get_by_text("shop")).to_be_visible()
        rate = page.get_by_role("listitem").filter(has_text="Logs per second")
        expect(rate.get_by_role("alert")).to_contain_text("down, on purpose")
        expect(newest.get_by_text("number 10", exact=True)).to_be_visible()
        page.close()


class SlowStore(MemoryStore):
    """A store whose searches for older records wait, and which counts the rows it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self.read = 1_000_000

    async def search(
        self,
        where: Filter,
        between: TimeRange,
        *,
        limit: int,
        cursor: Cursor | None = None,
        count: bool = True,
        limits: QueryLimits = LIMITS,
    ) -> SearchPage:
        # The newest sixteenth of a quarter of an hour comes at once.
        old = between.end_ns < time.time_ns() - 30 * S
        while self.waiting and old:  # noqa: ASYNC110 - what ends it is in another thread
            await asyncio.sleep(0.02)
        return await super().search(
            where, between, limit=limit, cursor=cursor, count=count, limits=limits
        )

    async def progress(self, name: str) -> QueryProgress | None:
        if not self.waiting:
            return None
        self.read += 500_000
        return QueryProgress(read_rows=self.read, total_rows=None, elapsed_s=1.0)


def test_a_long_search_shows_how_far_it_is_and_keeps_what_it_found(
    chromium: str, open_page: Callable[[str], Page]
) -> None:
    """Rows read, records found and the time searched stand in the status line while it runs;
    Cancel keeps the rows it found, and it goes on from there."""
    store = SlowStore()
    with dashboard_over(store, _records()) as url:
        store.waiting = True
        page = open_page(f"{url}/explore?q=number")
        status = page.get_by_role("region", name="Results").get_by_role("status").first
        told = re.compile(r"Searching….* [\d,]{9} rows read · \d+ found · back to \d\d:\d\d:\d\d")
        expect(status).to_contain_text(told)
        first = status.inner_text()
        expect(status).not_to_have_text(first)
        page.get_by_role("button", name="Cancel").click()
        expect(status).to_contain_text("Stopped, with what it had found")
        grid = page.get_by_role("grid", name="Records")
        expect(grid.get_by_text("number 1", exact=True)).to_be_visible()
        expect(grid.get_by_text("number 100", exact=True)).to_have_count(0)
        store.waiting = False
        page.get_by_role("button", name="Go on searching").click()
        expect(status).to_contain_text("300 loaded")
        expect(status).not_to_contain_text("Stopped")
        page.close()
