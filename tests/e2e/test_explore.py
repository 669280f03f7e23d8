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


def test_a_wrong_query_says_where(page: Page, platform: Platform, refusals: list[str]) -> None:
    """What is wrong is said in words and with a caret."""
    refusals.append("query=level%3A%28")
    page.goto(f"{platform.url}/explore?q=level:(")
    expect(page.get_by_role("alert").first).to_contain_text("^")
    expect(page.get_by_text("Not searched: the query cannot be understood")).to_be_visible()


def test_nothing_found_says_so(page: Page, platform: Platform) -> None:
    """No match is no blank page."""
    page.goto(f"{platform.url}/explore?q=nosuchwordanywhere")
    expect(page.get_by_text("No record matches")).to_be_visible()


def _brush(page: Page, start: float, end: float) -> Locator:
    """Drags over a part of the histogram; what can be done with it is then on offer."""
    chart = page.get_by_role("application").first
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, middle, steps=8)
    page.mouse.up()
    menu = page.get_by_role("dialog", name="The marked time")
    expect(menu).to_be_visible()
    return menu


def test_brush_and_back(page: Page, platform: Platform) -> None:
    """Zoom goes into the time that was dragged over; Back is where one came from."""
    _open(page, platform, "?from=now-5m")
    _brush(page, 0.5, 0.9).get_by_role("button", name="Zoom").click()
    expect(page).to_have_url(re.compile(r"from=2\d{3}-.*to=2\d{3}-"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"from=now-5m"))


def test_brush_shows_the_events_of_a_part(page: Page, platform: Platform) -> None:
    """The rows are those of the marked time while the chart stays; Escape takes each step back."""
    grid = _open(page, platform, "?from=now-5m")
    menu = _brush(page, 0.2, 0.98)
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    _brush(page, 0.2, 0.98).get_by_role("button", name="Show events").click()
    expect(page.get_by_text("Only rows of")).to_be_visible()
    expect(page).to_have_url(re.compile(r"from=now-5m&part=2\d{3}-"))
    page.reload()
    expect(page.get_by_text("Only rows of")).to_be_visible()
    expect(_records(grid).first).to_be_visible()
    grid.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Only rows of")).to_have_count(0)


def test_brush_compares_with_the_rest(page: Page, platform: Platform) -> None:
    """Both sides are counted, and fields ranked by how much their values differ."""
    _open(page, platform, "?from=now-5m")
    _brush(page, 0.3, 0.9).get_by_role("button", name="Compare").click()
    panel = page.get_by_role("complementary", name="Comparison")
    expect(panel).to_contain_text(re.compile(r"[\d,]+ records in it"))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_a_field_nobody_has_is_asked_about(page: Page, platform: Platform) -> None:
    """A name that is nearly a field's gets a hint, which mends the query when it is clicked."""
    _open(page, platform)
    _ask(page, "sevice:gateway")
    page.get_by_text("Did you mean").get_by_role("button", name="service").click()
    expect(page).to_have_url(re.compile("q=service%3Agateway"))
    grid = page.get_by_role("grid", name="Log records")
    expect(_records(grid).filter(has_text="gateway").first).to_be_visible()
    expect(page.get_by_text("Did you mean")).to_have_count(0)


def test_running_closes_the_completions(page: Page, platform: Platform) -> None:
    """What is offered while one types is gone once the query runs."""
    _open(page, platform)
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type("serv")
    offered = page.get_by_role("listbox")
    expect(offered).to_be_visible()
    page.keyboard.press("Enter")
    expect(offered).to_have_count(0)
    expect(page).to_have_url(re.compile("q=serv"))
    page.wait_for_timeout(300)
    expect(offered).to_have_count(0)


def test_the_url_holds_how_it_looks(page: Page, platform: Platform) -> None:
    """Facets, the drawer's width, columns' widths and a table's order are those of the link."""
    grid = _open(page, platform, "?cols=%5B%22host.name%22%5D")
    page.get_by_role("region", name="level").get_by_role("button", name="level").click()
    expect(page).to_have_url(re.compile("turned=.*level"))
    page.get_by_role("separator", name="Width of host.name").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("widths=.*host.name.*20"))
    _records(grid).first.get_by_role("gridcell").last.click()
    splitter = page.get_by_role("separator", name="Width of the record's panel")
    splitter.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("drawer=544"))
    page.reload()
    expect(splitter).to_have_attribute("aria-valuenow", "544")
    level = page.get_by_role("region", name="level").get_by_role("button", name="level")
    expect(level).to_have_attribute("aria-expanded", "false")
    page.goto(f"{platform.url}/explore?q=*%20%7C%20stats%20count()%20n%20by%20service&sort=-n")
    heading = page.get_by_role("columnheader", name=re.compile("^n"))
    expect(heading).to_have_attribute("aria-sort", "descending")
    heading.get_by_role("button").click()
    expect(page).to_have_url(re.compile("sort=n"))


def test_a_result_over_time_is_drawn_as_lines(page: Page, platform: Platform) -> None:
    """One line a service, which its name in the legend hides; the table below has the numbers."""
    query = "*%20%7C%20stats%20count()%20n%20by%20service%2C%20bin(10s)"
    page.goto(f"{platform.url}/explore?from=now-5m&q={query}")
    chart = page.get_by_role("img", name=re.compile("^n by service over time, .* lines: "))
    expect(chart).to_be_visible()
    expect(chart.locator("canvas")).to_be_visible()
    line = page.get_by_role("list", name="Lines").get_by_role("button", name="gateway")
    expect(line).to_have_attribute("aria-pressed", "true")
    page.get_by_role("application", name=re.compile("^n by service over time")).focus()
    page.keyboard.press("ArrowLeft")
    tip = page.get_by_role("status").filter(has_text=re.compile(r"\d\d:\d\d:\d0 – "))
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    table = page.get_by_role("table", name="Result")
    rows = table.get_attribute("aria-rowcount")
    before = chart.screenshot()
    line.click()
    expect(line).to_have_attribute("aria-pressed", "false")
    assert chart.screenshot() != before
    expect(table).to_have_attribute("aria-rowcount", str(rows))


def test_pinned_filters_stay(page: Page, platform: Platform) -> None:
    """A pinned filter survives clearing the others, and is there again after another page."""
    _open(page, platform)
    page.get_by_role("region", name="service").get_by_role(
        "button", name="gateway", exact=True
    ).click()
    filters = page.get_by_role("list", name="Filters")
    filters.get_by_role("button", name=re.compile("^Pin")).click()
    page.get_by_role("region", name="level").get_by_role("button", name="INFO", exact=True).click()
    filters.get_by_role("button", name="Clear all").click()
    expect(filters.get_by_role("listitem")).to_have_count(1)
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Pipeline").click()
    pages.get_by_role("link", name="Explore").click()
    expect(filters).to_contain_text("gateway")


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


def test_tools_over_a_value(page: Page, platform: Platform) -> None:
    """Pointing at a level offers tools that leave it readable; they filter by it."""
    grid = _open(page, platform)
    cell = _records(grid).nth(3).locator("[data-field=level]")
    cell.hover()
    include = page.get_by_role("button", name="Only records with this level (+)")
    expect(include).to_be_visible()
    over, tools = cell.bounding_box(), include.bounding_box()
    assert over is not None
    assert tools is not None
    assert tools["y"] + tools["height"] <= over["y"] + 2
    include.click()
    expect(page.get_by_role("list", name="Filters")).to_contain_text("level")


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
    expect(page.get_by_text("All 1 that match, whole")).to_be_visible()
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
