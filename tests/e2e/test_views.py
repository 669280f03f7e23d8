"""Saved views, signals, short links and settings, in a browser."""

from __future__ import annotations

import json
import re
import urllib.request
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.running import Platform

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_HOSTILE = '<img src=x onerror="window.ran=1">'


def _open(page: Page, platform: Platform, search: str = "") -> Locator:
    page.goto(f"{platform.url}/explore{search}")
    grid = page.get_by_role("grid", name="Log records")
    expect(grid.locator("[role=row][data-index]").first).to_be_visible()
    return grid


def _menu(page: Page) -> Locator:
    page.get_by_role("button", name="Saved views").click()
    return page.get_by_role("dialog", name="Saved views")


def _save(page: Page, name: str, *choices: str) -> None:
    menu = _menu(page)
    menu.get_by_role("button", name="Save as…").click()
    menu.get_by_role("textbox", name="Name").fill(name)
    for choice in choices:
        menu.get_by_role("radio", name=choice).check()
    menu.get_by_role("button", name="Save", exact=True).click()
    expect(menu).to_have_count(0)


def _post(platform: Platform, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        platform.url + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _second(page: Page, platform: Platform, search: str) -> tuple[BrowserContext, Page]:
    """The same dashboard in another browser, with nothing kept there."""
    browser = page.context.browser
    assert isinstance(browser, Browser)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    other = context.new_page()
    other.goto(f"{platform.url}{search}")
    return context, other


def _axe(page: Page) -> list[str]:
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found: dict[str, Any] = page.evaluate("(rules) => axe.run({ runOnly: rules })", _RULES)
    return [
        f"{one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def test_a_view_is_saved_loaded_and_marked(page: Page, platform: Platform) -> None:
    """A view is there after a reload, says when it is modified, can be saved and gone back to."""
    _open(page, platform, "?q=level%3Ainfo&cols=%5B%22host.name%22%5D")
    _save(page, "Of interest")
    view = page.get_by_role("status", name=re.compile("^Saved view: Of interest"))
    expect(view).to_have_accessible_name("Saved view: Of interest")
    page.reload()
    expect(view).to_have_accessible_name("Saved view: Of interest")
    page.get_by_role("grid", name="Log records").focus()
    page.keyboard.press("w")
    expect(view).to_have_accessible_name("Saved view: Of interest, modified")
    _menu(page).get_by_role("button", name="Back to Of interest").click()
    expect(view).to_have_accessible_name("Saved view: Of interest")
    expect(page).not_to_have_url(re.compile("wrap="))
    page.get_by_role("grid", name="Log records").focus()
    page.keyboard.press("w")
    _menu(page).get_by_role("button", name="Save changes to Of interest").click()
    expect(view).to_have_accessible_name("Saved view: Of interest")
    _open(page, platform, "?q=level%3Awarn&sort=level")
    _menu(page).get_by_role("button", name="Of interest", exact=True).click()
    expect(page).to_have_url(re.compile("q=level%3Ainfo.*wrap=wrap"))
    expect(page).not_to_have_url(re.compile("sort="))
    page.go_back()
    expect(page).to_have_url(re.compile("q=level%3Awarn"))


def test_a_shared_view_is_everybodys(page: Page, platform: Platform, problems: list[str]) -> None:
    """Another browser finds it among the completions and the palette; who saves second is told."""
    _open(page, platform, "?q=level%3Ainfo")
    _save(page, "Everybody looks", "Shared")
    context, other = _second(page, platform, "/explore")
    try:
        expect(other.locator(".cm-content")).to_be_visible()
        other.get_by_role("textbox", name="Query").click()
        other.keyboard.type("Every")
        offered = other.get_by_role("option", name=re.compile("Everybody looks"))
        offered.click()
        expect(other).to_have_url(re.compile("q=level%3Ainfo"))
        other.goto(f"{platform.url}/pipeline")
        expect(other.get_by_role("heading", name="Pipeline")).to_be_visible()
        other.keyboard.press("Control+k")
        other.get_by_role("combobox", name="Find a page").fill("everybody looks")
        expect(other.get_by_role("option", name="Everybody looks")).to_be_visible()
        other.keyboard.press("Enter")
        view = other.get_by_role("status", name=re.compile("^Saved view"))
        expect(view).to_have_accessible_name("Saved view: Everybody looks")
        other.get_by_role("grid", name="Log records").focus()
        other.keyboard.press("w")
        _menu(other).get_by_role("button", name="Save changes to Everybody looks").click()
        expect(view).to_have_accessible_name("Saved view: Everybody looks")
    finally:
        context.close()
    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("button", name="Compact").click()
    page.keyboard.press("Escape")
    menu = _menu(page)
    menu.get_by_role("button", name="Save changes to Everybody looks").click()
    expect(menu.get_by_role("alert")).to_contain_text("somebody has changed")
    assert [each for each in problems if "409" not in each] == []
    problems.clear()


def test_a_long_link_is_copied_short(page: Page, platform: Platform) -> None:
    """A search of 5 kB is passed on in a short link, which opens it elsewhere and is then gone."""
    query = " OR ".join(["needle", *(f"word{'x' * 40}{number}" for number in range(100))])
    _open(page, platform, f"?q={query.replace(' ', '%20')}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy and share").click()
    page.get_by_role("button", name="Link, as it is").click()
    expect(page.get_by_text("Short link copied")).to_be_visible()
    link: str = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(re.escape(platform.url) + "/s/[a-z2-7]{16}", link)
    for address in (link, link.replace("/s/", "/?s=")):
        context, other = _second(page, platform, "/pipeline")
        try:
            other.goto(address)
            rows = other.get_by_role("grid", name="Log records").locator("[role=row][data-index]")
            expect(rows).to_have_count(1)
            expect(rows).to_contain_text("needle in the hay")
            expect(other).to_have_url(re.compile(r"/explore\?q=needle"))
            other.go_back()
            expect(other).to_have_url(re.compile("/pipeline"))
        finally:
            context.close()


def test_an_address_too_long_stands_short(page: Page, platform: Platform) -> None:
    """Beyond what proxies take the address bar holds a short link; reload and Back work."""
    query = " OR ".join(["needle", *(f"word{'y' * 60}{number}" for number in range(100))])
    _open(page, platform, "?q=needle")
    _open(page, platform, f"?q={query.replace(' ', '%20')}")
    expect(page).to_have_url(re.compile("/s/[a-z2-7]{16}$"))
    page.reload()
    rows = page.get_by_role("grid", name="Log records").locator("[role=row][data-index]")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("/s/[a-z2-7]{16}$"))
    page.get_by_role("grid", name="Log records").focus()
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("/s/[a-z2-7]{16}$|wrap=wrap"))
    page.go_back()
    expect(rows).to_have_count(1)


def test_a_link_that_leads_nowhere_says_so(
    page: Page, platform: Platform, problems: list[str]
) -> None:
    """An unknown id is told in words, with a way on."""
    page.goto(f"{platform.url}/s/nosuchlink")
    expect(page.get_by_role("alert")).to_contain_text("leads nowhere")
    assert _axe(page) == []
    page.get_by_role("link", name="Go to Explore").click()
    expect(page.get_by_role("grid", name="Log records")).to_be_visible()
    assert [each for each in problems if "404" not in each] == []
    problems.clear()


def test_signals(page: Page, platform: Platform) -> None:
    """A click adds a filter: OR within a group, AND between; its name is text whatever it holds."""
    # Of their own: what other tests have sent may fill every row that is in sight.
    platform.send(
        [
            {"service": service, "level": level, "message": "ding"}
            for service in ("till", "stall")
            for level in ("info", "warn")
        ]
    )
    for name, group, query in (
        ("Till", "Where", "service:till"),
        ("Stall", "Where", "service:stall"),
        (_HOSTILE, "", "level:info"),
    ):
        body = {"kind": "signal", "name": name, "group": group, "query": query}
        _post(platform, "/api/v1/views", body)
    grid = _open(page, platform)
    chips = page.get_by_role("group", name="Signals")
    chips.get_by_role("button", name="Till").click()
    services = grid.locator("[data-field=service]")
    expect(services.filter(has_text="till").first).to_be_visible()
    expect(services.filter(has_not_text="till")).to_have_count(0)
    chips.get_by_role("button", name="Stall").click()
    expect(services.filter(has_text="stall").first).to_be_visible()
    expect(services.filter(has_not_text=re.compile("till|stall"))).to_have_count(0)
    chips.get_by_role("button", name=_HOSTILE).click()
    levels = grid.locator("[data-field=level]")
    expect(levels.filter(has_not_text="INFO")).to_have_count(0)
    page.reload()
    expect(chips.get_by_role("button", name="Stall")).to_have_attribute("aria-pressed", "true")
    expect(services.filter(has_not_text=re.compile("till|stall"))).to_have_count(0)
    assert page.evaluate("window.ran") is None
    assert _axe(page) == []


def test_a_filter_becomes_a_signal(page: Page, platform: Platform) -> None:
    """What is searched for can be kept as one, in this browser alone."""
    _open(page, platform, "?q=level%3Awarn%20timeout%20OR%20needle")
    _save(page, "Mine", "Signal")
    _open(page, platform)
    chip = page.get_by_role("group", name="Signals").get_by_role("button", name="Mine")
    chip.click()
    expect(page).to_have_url(re.compile("sig=.*needle"))
    context, other = _second(page, platform, "/explore")
    try:
        expect(other.get_by_role("grid", name="Log records")).to_be_visible()
        expect(other.get_by_role("button", name="Mine", exact=True)).to_have_count(0)
    finally:
        context.close()


def test_fields_pinned_for_everybody(page: Page, platform: Platform) -> None:
    """A field that one browser pins for everybody stands first in another."""
    _open(page, platform)
    facet = page.get_by_role("region", name="trace_id")
    facet.hover()
    facet.get_by_role("button", name="Pin trace_id to the top for everybody").click()
    expect(facet.get_by_role("button", name="Unpin trace_id for everybody")).to_be_visible()
    context, other = _second(page, platform, "/explore")
    try:
        fields = other.get_by_role("complementary", name="Fields")
        first = fields.locator("input[type=search] >> xpath=../following-sibling::section[1]")
        expect(first).to_have_attribute("aria-label", "trace_id")
        first.get_by_role("button", name="Unpin trace_id for everybody").click()
    finally:
        context.close()


def test_a_column_from_the_palette(page: Page, platform: Platform) -> None:
    """⌘K offers the fields as columns, and takes away those that are there."""
    _open(page, platform)
    expect(page.get_by_role("region", name="trace_id")).to_be_visible()
    for typed, url in (("trace_id", "cols=.*trace_id"), ("trace_id", r"/explore$")):
        page.keyboard.press("Control+k")
        page.get_by_role("combobox", name="Find a page").fill(f"column {typed}")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(url))
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Find a page").fill("add column")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Find a page")).to_have_value("Add column: ")
    page.keyboard.type("span_id")
    page.get_by_role("option", name=re.compile("^Add column: span_id")).click()
    expect(page.get_by_role("columnheader", name=re.compile("span_id"))).to_be_visible()


def test_settings(page: Page, platform: Platform) -> None:
    """`g s` opens them; what is chosen there holds; views are renamed and deleted; Explore opens
    with its default view."""
    _open(page, platform, "?q=level%3Ainfo")
    _save(page, "Opens first")
    menu = _menu(page)
    menu.get_by_role("button", name="Open Explore with Opens first").click()
    page.keyboard.press("Escape")
    page.get_by_role("grid", name="Log records").focus()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_text("Roomy", exact=True).click()
    page.get_by_role("combobox", name="Time zone").last.select_option("Asia/Tokyo")
    own = page.get_by_role("list", name="Private views and signals")
    own.get_by_role("button", name="Rename Opens first").click()
    own.get_by_role("textbox", name="New name of Opens first").fill("First")
    own.get_by_role("button", name="Save").click()
    expect(own.get_by_role("link", name="First")).to_be_visible()
    expect(page.get_by_text("LogStream AI")).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    expect(page).to_have_url(re.compile("q=level%3Ainfo"))
    expect(page.get_by_role("columnheader", name="Time Asia/Tokyo")).to_be_visible()
    page.goto(f"{platform.url}/explore")
    view = page.get_by_role("status", name=re.compile("^Saved view"))
    expect(view).to_have_accessible_name("Saved view: First")
    page.goto(f"{platform.url}/settings")
    own.get_by_role("button", name="Delete First").click()
    own.get_by_role("button", name="Delete First").click()
    expect(own.get_by_role("listitem")).to_have_count(0)
    page.goto(f"{platform.url}/explore")
    expect(page.get_by_role("grid", name="Log records")).to_be_visible()
    expect(page).to_have_url(re.compile("/explore$"))


def test_nothing_serious_in_the_menu(page: Page, platform: Platform) -> None:
    """axe-core finds nothing serious in the menu of views and in the form that saves one."""
    _open(page, platform)
    menu = _menu(page)
    assert _axe(page) == []
    menu.get_by_role("button", name="Save as…").click()
    menu.get_by_role("radio", name="Signal").check()
    assert _axe(page) == []
