"""The live tail: rows as they arrive, and reading them in peace."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.running import Platform, Wire

_ROW_PX = 24
_IN_SIGHT = """(grid) => {
  const box = grid.getBoundingClientRect();
  return [...grid.querySelectorAll('[role=row]')]
    .filter((row) => { const r = row.getBoundingClientRect();
                       return r.top >= box.top && r.bottom <= box.bottom; })
    .map((row) => row.getAttribute('aria-rowindex') + ' ' + row.innerText);
}"""


def _open(page: Page, platform: Platform, search: str = "") -> Locator:
    page.goto(f"{platform.url}/live{search}")
    grid = page.get_by_role("grid", name="Live records")
    expect(grid.get_by_role("row").first).to_be_visible()
    return grid


def _rows(grid: Locator) -> list[str]:
    seen: list[str] = grid.evaluate(_IN_SIGHT)
    return seen


def _inside(grid: Locator) -> tuple[float, float]:
    """A point in the message of a row, whichever stands there: the last one ends at the bottom."""
    box = grid.bounding_box()
    assert box is not None
    return box["x"] + 330, box["y"] + box["height"] - 10.5 * _ROW_PX


def _last(grid: Locator) -> int:
    return int(_rows(grid)[-1].split()[0])


def _wait_past(page: Page, grid: Locator, row: int) -> None:
    page.wait_for_function(
        "([grid, row]) => [...grid.querySelectorAll('[role=row]')]"
        ".some((one) => Number(one.ariaRowIndex ?? one.getAttribute('aria-rowindex')) > row)",
        arg=[grid.element_handle(), row],
    )


def test_rows_are_pushed(page: Page, platform: Platform) -> None:
    """Rows keep coming, and the page asks for none of them."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    grid = _open(page, platform)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    asked.clear()
    _wait_past(page, grid, _last(grid) + 200)
    assert [url for url in asked if "/api/" in url] == []


def test_freeze_at_a_high_rate(page: Page, platform: Platform) -> None:
    """At 5 000 records a second the rows that are being read stay exactly where they are, what
    comes is counted, and a click goes on at the end."""
    grid = _open(page, platform)
    with platform.traffic(5_000, batch=500):
        _wait_past(page, grid, _last(grid) + 3_000)
        grid.hover()
        page.mouse.wheel(0, -240)
        chip = page.get_by_role("button", name=re.compile("^Paused"))
        expect(chip).to_be_visible()
        page.wait_for_timeout(100)
        before = _rows(grid)
        page.wait_for_function(
            "() => Number(/([\\d,]+) new/.exec(document.body.innerText)?.[1]"
            ".replaceAll(',', '') ?? 0) > 4000"
        )
        assert _rows(grid) == before
        expect(page.get_by_text("Paused", exact=True)).to_be_visible()
        chip.click()
        expect(chip).to_be_hidden()
        _wait_past(page, grid, int(before[-1].split()[0]) + 4_000)


def test_selecting_text_freezes(page: Page, platform: Platform) -> None:
    """Text being selected stays selected; Space goes on."""
    grid = _open(page, platform)
    x, y = _inside(grid)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=4)
    page.mouse.up()
    chip = page.get_by_role("button", name=re.compile("^Paused"))
    expect(chip).to_be_visible()
    selected = page.evaluate("String(getSelection())")
    page.wait_for_timeout(600)
    assert selected
    assert page.evaluate("String(getSelection())") == selected
    expect(page.get_by_role("complementary", name="Record")).to_have_count(0)
    page.keyboard.press("Space")
    expect(chip).to_be_hidden()


def test_a_row_opens_while_paused(page: Page, platform: Platform) -> None:
    """The first click pauses, the next one opens the row; keys move on and close it."""
    grid = _open(page, platform)
    page.mouse.click(*_inside(grid))
    expect(page.get_by_role("button", name=re.compile("^Paused"))).to_be_visible()
    clicked = grid.get_by_role("row", selected=True)
    expect(clicked).to_be_visible()
    panel = page.get_by_role("complementary", name="Record")
    expect(panel).to_have_count(0)
    page.mouse.click(*_inside(grid))
    expect(panel.get_by_text("service.version")).to_be_visible()
    first = clicked.get_attribute("aria-rowindex") or ""
    page.keyboard.press("k")
    expect(clicked).to_have_attribute("aria-rowindex", str(int(first) - 1))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_wrapped_rows_stand_still_too(page: Page, platform: Platform) -> None:
    """Wrapped, messages show all their lines, and pausing keeps them where they are."""
    grid = _open(page, platform, "?q=service:hostile%20OR%20level:info")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("wrap=wrap"))
    _wait_past(page, grid, _last(grid) + 50)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=re.compile("^Paused"))).to_be_visible()
    page.wait_for_timeout(200)
    before = _rows(grid)
    page.wait_for_timeout(600)
    assert _rows(grid) == before
    grid.hover()
    page.mouse.wheel(0, -400)
    expect(grid.get_by_role("row").first).to_be_visible()
    page.wait_for_function(
        "(grid) => grid.scrollTop + grid.clientHeight < grid.scrollHeight - 200",
        arg=grid.element_handle(),
    )
    assert _last(grid) < int(before[-1].split()[0])
    page.keyboard.press("Space")
    _wait_past(page, grid, int(before[-1].split()[0]) + 20)


def test_a_query_flushes_the_rows(page: Page, platform: Platform) -> None:
    """Rows of the query before are gone at once, back brings it back, levels narrow it."""
    grid = _open(page, platform)
    page.get_by_role("textbox", name="Query").click()
    page.keyboard.type("service:checkout")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"q=service"))
    expect(grid.get_by_role("row", name=re.compile("checkout")).first).to_be_visible()
    assert all("checkout" in row or "Live from here" in row for row in _rows(grid))
    page.keyboard.press("Escape")  # the completions, should there be any
    page.get_by_role("button", name="WARN").click()
    expect(page).to_have_url(re.compile("levels="))
    page.go_back()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/live$"))
    expect(grid.get_by_role("row", name=re.compile("gateway")).first).to_be_visible()


def test_a_wrong_query_says_where(page: Page, platform: Platform) -> None:
    """What is wrong stands below the query, with a caret."""
    page.goto(f"{platform.url}/live?q=level:(")
    expect(page.get_by_role("alert")).to_contain_text("^")
    expect(page.get_by_text("The server refused this query")).to_be_visible()


def test_highlights_do_not_filter(page: Page, platform: Platform) -> None:
    """Terms are coloured, and every other row is still there."""
    grid = _open(page, platform)
    page.get_by_role("textbox", name="Highlight a term").fill("gateway")
    page.keyboard.press("Enter")
    page.wait_for_function("() => (CSS.highlights.get('term-0')?.size ?? 0) > 0")
    assert any("gateway" not in row for row in _rows(grid))
    page.get_by_role("button", name="Stop highlighting gateway").click()
    page.wait_for_function("() => !CSS.highlights.has('term-0')")


def test_stopped_rows_open_in_explore(page: Page, platform: Platform) -> None:
    """When stopped the rows stay; one click has them in Explore as a normal range."""
    grid = _open(page, platform, "?q=service:gateway")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    kept = _rows(grid)
    page.wait_for_timeout(500)
    assert _rows(grid) == kept
    page.get_by_role("button", name="Open in Explore").click()
    expect(page).to_have_url(re.compile(r"/explore\?.*from=2.*to=2"))
    found = page.get_by_role("grid", name="Log records")
    expect(found.get_by_role("row", name=re.compile("gateway")).first).to_be_visible()


def test_two_tails_side_by_side(page: Page, platform: Platform) -> None:
    """A second tail has a query, levels, a pause and numbers of its own; the address has both, and
    the keys go to the one that was chosen."""
    _open(page, platform, "?q=service:gateway")
    page.keyboard.press("\\")
    expect(page).to_have_url(re.compile("split=50"))
    second = page.get_by_role("region", name="Second tail")
    second.get_by_role("textbox", name="Second query").click()
    page.keyboard.type("service:auth")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q2=service"))
    right = page.get_by_role("grid", name="Second live records")
    expect(right.get_by_role("row", name=re.compile("auth")).first).to_be_visible()
    left = page.get_by_role("grid", name="First live records")
    page.keyboard.press("Escape")  # the completions, should there be any
    second.get_by_role("button", name="INFO").click()
    expect(page).to_have_url(re.compile("levels2="))
    expect(right.get_by_role("row", name=re.compile("auth")).first).to_be_visible()
    page.keyboard.press("2")  # from the button to the rows
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=re.compile("^Paused"))).to_have_count(1)
    expect(second.get_by_role("button", name=re.compile("^Paused"))).to_be_visible()
    kept = _rows(right)
    _wait_past(page, left, _last(left) + 20)
    assert _rows(right) == kept
    assert all("gateway" in row or "Live from here" in row for row in _rows(left))
    page.keyboard.press("1")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name=re.compile("^Paused"))).to_have_count(2)
    divider = page.get_by_role("separator", name="Width of the first tail")
    divider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("split=48"))
    page.reload()
    expect(right.get_by_role("row", name=re.compile("auth")).first).to_be_visible()
    expect(left.get_by_role("row", name=re.compile("gateway")).first).to_be_visible()
    page.set_viewport_size({"width": 800, "height": 900})
    above, below = left.bounding_box(), right.bounding_box()
    assert above is not None
    assert below is not None
    assert above["x"] == below["x"]
    assert above["y"] + above["height"] < below["y"]
    page.get_by_role("button", name="Close the first tail").click()
    expect(page).to_have_url(re.compile(r"/live\?(?!.*(split|q2)=)q=service(:|%3A)auth"))
    only = page.get_by_role("grid", name="Live records", exact=True)
    expect(only.get_by_role("row", name=re.compile("auth")).first).to_be_visible()


def test_one_stream_for_all_tabs(
    page: Page, open_page: Callable[[str], Page], platform: Platform
) -> None:
    """Two tabs that follow the same share one connection, and both show it."""
    search = "?q=service:auth"
    open_before = platform.ask("/api/v1/pipeline")["tails"]["open"]
    _open(page, platform, search)
    other = open_page(f"{platform.url}/live{search}")
    rows = other.get_by_role("grid", name="Live records").get_by_role("row")
    expect(rows.first).to_be_visible()
    expect(other.get_by_text("Live", exact=True)).to_be_visible()
    assert platform.ask("/api/v1/pipeline")["tails"]["open"] <= open_before + 1


def test_it_goes_on_where_it_was(page: Page, platform: Platform, problems: list[str]) -> None:
    """When the connection is lost the rows stay; once there is one again the tail goes on behind
    the last row it has: nothing is missing, nothing comes twice."""

    def send(numbers: range) -> None:
        platform.send([{"service": "numbers", "message": f"number {n}"} for n in numbers])

    wire = Wire(platform.url)
    page.goto(f"{wire.url}/live?q=service:numbers&back=0")
    grid = page.get_by_role("grid", name="Live records")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    send(range(5))
    expect(grid.get_by_text("number 4")).to_be_visible()
    wire.cut()
    expect(page.get_by_text(re.compile("^Connection lost"))).to_be_visible()
    send(range(5, 9))
    wire.mend()
    expect(grid.get_by_text("number 8")).to_be_visible(timeout=40_000)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert re.findall(r"number (\d)", " ".join(_rows(grid))) == [str(n) for n in range(9)]
    page.close()
    wire.cut()
    problems.clear()  # Chromium notes every connection that was refused meanwhile


def test_a_restart_leaves_no_gap(
    chromium: str, tmp_path: Path, open_page: Callable[[str], Page], problems: list[str]
) -> None:
    """A dashboard that was started anew knows nothing of the tail; what came before the page was
    connected again is there all the same, in order and once."""
    running = Platform(tmp_path)

    def send(numbers: range) -> None:
        running.send([{"service": "numbers", "message": f"number {n}"} for n in numbers])

    try:
        send(range(2))
        page = open_page(f"{running.url}/live?q=service:numbers&back=0")
        grid = page.get_by_role("grid", name="Live records")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        send(range(2, 5))
        expect(grid.get_by_text("number 4")).to_be_visible()
        with running.away():
            expect(page.get_by_text(re.compile("^Connection lost"))).to_be_visible()
        send(range(5, 9))
        expect(grid.get_by_text("number 8")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        send(range(9, 11))
        expect(grid.get_by_text("number 10")).to_be_visible()
        seen = re.findall(r"number (\d+)|(lost here)", " ".join(_rows(grid)))
        assert [number or mark for number, mark in seen] == [
            "2", "3", "4", "lost here", *(str(n) for n in range(5, 11)),
        ]  # fmt: skip
        page.close()
    finally:
        running.close()
    problems.clear()  # Chromium notes every connection that was refused meanwhile


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/", "Volume by level"), ("/pipeline", "Queue")],
    ids=["overview", "pipeline"],
)
def test_a_page_says_that_it_is_stale(
    page: Page, platform: Platform, problems: list[str], path: str, shown: str
) -> None:
    """When the platform is lost what was there stays, with its age and why, until it is back; and
    nothing was ever asked for again and again."""
    wire = Wire(platform.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(wire.url + path)
    panel = page.get_by_role("region", name=shown, exact=True)
    expect(panel).to_be_visible()
    wire.cut()
    expect(page.get_by_text(re.compile("^Not updating"))).to_be_visible()
    expect(page.get_by_text(re.compile("^Last update [0-9]+ s ago, reconnecting"))).to_be_visible()
    expect(panel).to_be_visible()
    wire.mend()
    expect(page.get_by_text(re.compile("^Not updating"))).to_be_hidden(timeout=40_000)
    assert len([url for url in asked if re.search("api/v1/(overview|pipeline)", url)]) <= 2
    page.close()
    wire.cut()
    problems.clear()  # Chromium notes every connection that was refused meanwhile
