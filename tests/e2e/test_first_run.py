"""What somebody sees who has just installed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.running import Platform


@pytest.fixture
def empty(chromium: str, tmp_path: Path) -> Iterator[Platform]:
    """A platform in which nothing is stored; it outlives the pages that look at it."""
    running = Platform(tmp_path)
    yield running
    running.close()


def test_the_first_log(empty: Platform, open_page: Callable[[str], Page]) -> None:
    """An empty store shows how to send with this installation's address, and turns live with the
    first log."""
    page = open_page(f"{empty.url}/")
    expect(page.get_by_role("heading", name="Send your first log")).to_be_visible()
    expect(page.get_by_role("tabpanel")).to_contain_text(empty.ingest.rsplit(":", 1)[1])
    expect(page.get_by_text("Waiting for the first log")).to_be_visible()
    empty.send([{"level": "info", "service": "shop", "message": "hello there"}])
    expect(page.get_by_text("The first log is here")).to_be_visible()
    expect(page.get_by_text("hello there")).to_be_visible()
    expect(page.get_by_role("list", name="Key numbers")).to_be_visible()
