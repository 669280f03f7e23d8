"""What a browser has to load before the pages work stays within its budget."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from logstream import dashboard

WEB = Path(dashboard.__file__).parent / "web"
ASSETS = WEB / "assets"

# Scripts and styles as they are sent: before the first rows, and with all that Explore loads later.
BUDGETS_KB = {
    ("first", ".gz"): 160,
    ("editor", ".gz"): 95,
    ("echarts", ".gz"): 190,
    ("explore", ".gz"): 440,
    ("explore", ".br"): 380,
}

OTHER_PAGES = (
    "PatternsPage",
    "OverviewPage",
    "LivePage",
    "PipelinePage",
    "SettingsPage",
    "LinkPage",
)
_IN_THE_PAGE = re.compile(r'''(?:src|href)="(?:\./)?([^"]+\.(?:js|css))"''')
_AT_ONCE = re.compile(r"""(?:\bfrom|\bimport)\s*["'`]\./([^"'`]+)["'`]""")
_LATER = re.compile(r"""\bimport\(\s*["'`]\./([^"'`]+)["'`]""")


@cache
def imports(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The scripts that a script loads at once, and those that it loads later."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    return frozenset(_AT_ONCE.findall(text)), frozenset(_LATER.findall(text))


def reached(names: set[str], *, later: bool) -> set[str]:
    """All that these scripts load, themselves included, apart from other pages."""
    found: set[str] = set()
    waiting = names
    while waiting:
        found |= waiting
        nearer, further = zip(*map(imports, waiting), strict=True)
        loaded = set().union(*nearer, *(further if later else ()))
        waiting = {name for name in loaded if not name.startswith(OTHER_PAGES)} - found
    return found


def named(start: str, ending: str = ".js") -> set[str]:
    """The built files whose names begin so, before their hash."""
    return {file.name for file in ASSETS.glob(f"{start}-*{ending}")}


def kilobytes(files: set[Path], coding: str) -> float:
    """Their size over the wire; what is too small to be compressed is sent as it is."""
    ready = [file.with_name(file.name + coding) for file in files]
    if not any(file.exists() for file in ready):
        pytest.skip("the built pages are not compressed")
    sent = [small if small.exists() else file for small, file in zip(ready, files, strict=True)]
    return sum(file.stat().st_size for file in sent) / 1000


@pytest.fixture
def parts() -> dict[str, set[Path]]:
    """The files of each part of the built pages."""
    if not ASSETS.is_dir():
        pytest.skip("the dashboard's pages are not built here")
    page = (WEB / "index.html").read_text(encoding="utf-8")
    in_page = {WEB / name for name in _IN_THE_PAGE.findall(page)}
    # The first script is small: it has the browser run the others, which the page names too.
    start = {file.name for file in in_page if file.suffix == ".js" and file.parent == ASSETS}
    start |= named("ExplorePage")
    styles = {ASSETS / name for name in named("ExplorePage", ".css")}

    def loaded(*, later: bool) -> set[Path]:
        return in_page | styles | {ASSETS / name for name in reached(start, later=later)}

    return {
        "first": loaded(later=False),
        "editor": {ASSETS / name for name in named("editor")},
        "echarts": {ASSETS / name for name in named("echarts")},
        "explore": loaded(later=True),
    }


@pytest.mark.parametrize(("part", "coding"), BUDGETS_KB)
def test_a_part_is_within_its_budget(part: str, coding: str, parts: dict[str, set[Path]]) -> None:
    """Each part is there, and no larger than people should have to wait for."""
    assert 0 < kilobytes(parts[part], coding) <= BUDGETS_KB[part, coding]


def test_what_comes_first_is_all_that_the_page_names(parts: dict[str, set[Path]]) -> None:
    """The theme's script and the shell's styles are sent too, however small they are."""
    assert {WEB / "theme.js", WEB / "shell.css"} < parts["first"]
    assert not parts["editor"] & parts["first"]


def test_explore_is_measured_with_what_it_loads_later(parts: dict[str, set[Path]]) -> None:
    """The editor is part of the whole, and comes after the first rows."""
    assert parts["first"] | parts["editor"] < parts["explore"]
