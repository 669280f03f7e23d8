"""Patterns: what logs have in common, by keyboard and pointer, and the way into Explore."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.running import Platform


def _open(page: Page, platform: Platform, search: str = "") -> Locator:
    page.goto(f"{platform.url}/patterns{search}")
    grid = page.get_by_role("grid", name="Patterns")
    expect(_rows(grid).first).to_be_visible()
    return grid


def _rows(grid: Locator) -> Locator:
    return grid.locator("[role=row][data-index]")


def test_patterns_of_a_search(page: Page, platform: Platform) -> None:
    """The query narrows them, the numbers say what they are of, and a token tells its values."""
    grid = _open(page, platform)
    expect(grid).to_contain_text("<num>")
    expect(page.get_by_text(re.compile(r"patterns in [\d,]+ records"))).to_be_visible()
    expect(page.get_by_text("every record counted")).to_be_visible()
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type("logged in")
    page.keyboard.press("Enter")
    expect(_rows(grid)).to_have_count(1)
    expect(page).to_have_url(re.compile("q=logged"))
    grid.locator("[data-token]").last.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("IP address")


def test_by_keyboard_into_explore(page: Page, platform: Platform) -> None:
    """j and Enter open one, Escape closes it, and its records alone are one step away."""
    _open(page, platform)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Pattern")
    expect(panel.get_by_role("heading", name="Newest records")).to_be_visible()
    expect(panel.get_by_role("listitem").first).to_be_visible()
    expect(page).to_have_url(re.compile("open="))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.go_back()
    panel.get_by_role("link", name="Only these").click()
    expect(page).to_have_url(re.compile(r"/explore\?.*q="))
    records = page.get_by_role("grid", name="Log records").locator("[role=row][data-index]")
    expect(records.first).to_be_visible()


def test_from_explore_and_sorted(page: Page, platform: Platform) -> None:
    """`g p` takes the search along; a column's head orders, and the address remembers it."""
    page.goto(f"{platform.url}/explore?q=service:gateway")
    expect(page.locator("[role=row][data-index]").first).to_be_visible()
    page.locator("body").press("g")
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"/patterns\?.*q=service"))
    expect(page.get_by_role("grid", name="Patterns").locator("[data-index]").first).to_be_visible()
    page.get_by_role("button", name="Change").click()
    expect(page).to_have_url(re.compile("sort=-change"))


def test_nothing_to_find_patterns_in(page: Page, platform: Platform, refusals: list[str]) -> None:
    """An empty answer says why, and offers a way out; a wrong query says where."""
    page.goto(f"{platform.url}/patterns?q=nosuchwordanywhere")
    expect(page.get_by_text("No record matches")).to_be_visible()
    page.get_by_role("button", name="Clear the query").first.click()
    expect(page.get_by_role("grid", name="Patterns").locator("[data-index]").first).to_be_visible()
    refusals.append("/api/v1/patterns")
    page.goto(f"{platform.url}/patterns?q=level:(")
    expect(page.get_by_role("alert").first).to_contain_text("^")
