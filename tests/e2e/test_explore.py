"""Explore: find, narrow, read, take away."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.e2e.running import Platform


def _open(page: Page, platform: Platform, search: str = "") -> Locator:
    page.goto(f"{platform.url}/explore{search}")
    grid = page.get_by_role("grid", name="Log records")
    expect(_records(grid).first).to_be_visible()
    return grid


def _records(grid: Locator) -> Locator:
    return grid.locator("[role=row][data-index]")


def _ask(page: Page, query: str) -> None:
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type(query)
    page.keyboard.press("Enter")


def test_search(page: Page, platform: Platform) -> None:
    """A word typed into the bar finds the one record that has it, and the URL holds the query."""
    grid = _open(page, platform)
    _ask(page, "needle")
    expect(_records(grid)).to_have_count(1)
    expect(_records(grid)).to_contain_text("needle in the hay")
    expect(page).to_have_url(re.compile("q=needle"))
    page.reload()
    expect(_records(grid)).to_have_count(1)


def test_a_wrong_query_says_where(page: Page, platform: Platform) -> None:
    """What is wrong is said in words and with a caret."""
    page.goto(f"{platform.url}/explore?q=level:(")
    expect(page.get_by_role("alert").first).to_contain_text("^")


def test_nothing_found_says_so(page: Page, platform: Platform) -> None:
    """No match is no blank page."""
    page.goto(f"{platform.url}/explore?q=nosuchwordanywhere")
    expect(page.get_by_text("No record matches")).to_be_visible()


def test_brush_and_back(page: Page, platform: Platform) -> None:
    """Dragging over the histogram zooms into that time; Back is where one came from."""
    _open(page, platform, "?from=now-5m")
    chart = page.get_by_role("application").first
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=8)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=2\d{3}-.*to=2\d{3}-"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"from=now-5m"))


def test_filter_by_clicking(page: Page, platform: Platform) -> None:
    """A value clicked among the facets filters; flipped it excludes; removed it is gone."""
    grid = _open(page, platform)
    facet = page.get_by_role("region", name="service")
    facet.get_by_role("button", name="checkout", exact=True).click()
    filters = page.get_by_role("list", name="Filters")
    expect(filters).to_contain_text("checkout")
    expect(page).to_have_url(re.compile("checkout"))
    expect(_records(grid).filter(has_not_text="checkout")).to_have_count(0)
    filters.get_by_role("button", name=re.compile("^Flip")).click()
    services = grid.locator("[data-field=service]")
    expect(services.filter(has_text="checkout")).to_have_count(0)
    filters.get_by_role("button", name=re.compile("^Remove")).click()
    expect(filters).to_have_count(0)


def test_drawer_and_context(page: Page, platform: Platform) -> None:
    """A click opens the record beside the list; its context and its JSON are one click away."""
    grid = _open(page, platform, "?q=service:gateway")
    _records(grid).nth(2).get_by_role("gridcell").last.click()
    drawer = page.get_by_role("complementary", name="Record")
    expect(drawer).to_be_visible()
    expect(page).to_have_url(re.compile("row="))
    drawer.get_by_role("tab", name="Context").click()
    expect(drawer.get_by_role("listitem").nth(3)).to_be_visible()
    drawer.get_by_role("tab", name=re.compile("JSON")).click()
    expect(drawer.get_by_role("tabpanel")).to_contain_text("service.version")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)


def test_export(page: Page, platform: Platform, tmp_path: Path) -> None:
    """Export downloads every match, not only what is shown."""
    _open(page, platform, "?q=service:hostile%20script")
    page.get_by_role("button", name="Export everything that matches").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("^NDJSON")).first.click()
    file = tmp_path / "export"
    waiting.value.save_as(file)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["service"] for row in rows] == ["hostile"]
    assert rows[0]["message"].startswith("script <script>")


def test_keyboard_alone(page: Page, platform: Platform) -> None:
    """From the Overview to an open record and back without a pointer."""
    page.goto(f"{platform.url}/")
    expect(page.get_by_role("list", name="Key numbers")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("e")
    grid = page.get_by_role("grid", name="Log records")
    expect(_records(grid).first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("service:hostile")
    page.keyboard.press("Enter")
    expect(_records(grid).filter(has_not_text="hostile")).to_have_count(0)
    page.keyboard.press("Escape")
    grid.focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary", name="Record")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("grid", name="Live records").get_by_role("row").first).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=re.compile("^Paused"))).to_be_visible()
