"""Themes, small windows and what assistive technology is told."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.running import Platform

_PAGES = {
    "overview": ("/", "Key numbers"),
    "explore": ("/explore", "Log records"),
    "live": ("/live", "Live records"),
    "patterns": ("/patterns", "Patterns"),
    "pipeline": ("/pipeline", ""),
    "settings": ("/settings", ""),
}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def _open(page: Page, platform: Platform, name: str) -> None:
    path, landmark = _PAGES[name]
    page.goto(platform.url + path)
    if landmark:
        content = page.get_by_label(landmark, exact=True)
        expect(content.locator("[role=row], li").first).to_be_visible()
    else:
        expect(page.get_by_role("main").get_by_role("heading").first).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("name", _PAGES)
def test_no_serious_finding(page: Page, platform: Platform, name: str, theme: str) -> None:
    """axe-core finds nothing serious or critical on any page, in either theme."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    _open(page, platform, name)
    if name == "live":
        page.keyboard.press("Space")
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found: dict[str, Any] = page.evaluate("(rules) => axe.run({ runOnly: rules })", _RULES)
    serious = [
        f"{one['id']}: {one['help']} {[node['html'][:150] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_the_chosen_theme_stays(page: Page, platform: Platform) -> None:
    """The theme follows the system until one is chosen, and then that is kept, without a flash."""
    _open(page, platform, "explore")
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Light").click()
    expect(root).to_have_attribute("data-theme", "light")
    page.reload(wait_until="commit")
    page.wait_for_selector("#root", state="attached")
    expect(root).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("name", _PAGES)
def test_a_small_window(page: Page, platform: Platform, name: str) -> None:
    """At 640 × 400, which is 1280 × 800 at 200 %, nothing is cut off sideways."""
    page.set_viewport_size({"width": 640, "height": 400})
    _open(page, platform, name)
    wider: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wider <= 0


def test_every_number_leads_somewhere(page: Page, platform: Platform) -> None:
    """A tile of the Overview opens the query behind it."""
    _open(page, platform, "overview")
    page.get_by_role("link", name=re.compile("Error rate")).click()
    expect(page).to_have_url(re.compile(r"/explore\?.*level"))
