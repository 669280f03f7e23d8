"""Records that were written to break the page: all of it is text, nothing runs, nothing hangs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import hostile
from tests.e2e.running import Platform

# What the records' text would have made of itself, had it been taken for HTML.
_MADE = "img[src=x], script, iframe, a[href^=javascript]"


def _ran(page: Page) -> bool:
    ran: bool = page.evaluate("'ran' in window")
    return ran


def _answers(page: Page) -> None:
    """The page still draws frames."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(1)))")


@pytest.mark.parametrize("look", ["", "&wrap=wrap", "&wrap=json"])
def test_explore_shows_them_as_text(page: Page, platform: Platform, look: str) -> None:
    """Every one is in the list, on one line, wrapped and pretty."""
    page.goto(f"{platform.url}/explore?q=service:hostile{look}")
    grid = page.get_by_role("grid", name="Log records")
    expect(grid.get_by_text("window.ran=1").first).to_be_visible()
    page.wait_for_timeout(300)
    _answers(page)
    assert not _ran(page)
    assert page.locator("main").locator(_MADE).count() == 0


@pytest.mark.parametrize("kind", [*hostile.MESSAGES, "attributes"])
def test_the_drawer_shows_each(page: Page, platform: Platform, kind: str) -> None:
    """Opened, each is text too: fields, JSON and raw, within seconds."""
    page.goto(f"{platform.url}/explore?q=service:hostile%20{kind}%20NOT%20needle")
    row = page.get_by_role("grid", name="Log records").locator("[role=row][data-index]").first
    row.get_by_role("gridcell").last.click()
    drawer = page.get_by_role("complementary", name="Record")
    for tab in ("Fields", "JSON", "Raw"):
        drawer.get_by_role("tab", name=re.compile(tab)).click()
        expect(drawer.get_by_role("tabpanel")).to_contain_text(re.compile(r"\w"))
        _answers(page)
    assert not _ran(page)


def test_the_live_tail_shows_them_as_text(page: Page, platform: Platform) -> None:
    """They arrive in the tail as text, and the highlighted terms in them are only coloured."""
    page.goto(f"{platform.url}/live?q=service:hostil*&hl=%5B%22%3Cscript%22%5D")
    grid = page.get_by_role("grid", name="Live records")
    expect(grid.get_by_text("<script>window.ran=1").first).to_be_visible()
    platform.send(hostile.records("hostility"))
    expect(grid.get_by_text("Live from here")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("complementary", name="Record")).to_be_visible()
    _answers(page)
    assert not _ran(page)
