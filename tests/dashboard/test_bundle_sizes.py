"""What a browser has to load before the pages work stays within its budget."""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path

import pytest

from logstream import dashboard

ASSETS = Path(dashboard.__file__).parent / "web" / "assets"

# Gzipped: scripts and styles before the first rows, and with all that Explore loads afterwards.
BUDGETS_KB = {"first": 160, "editor": 95, "echarts": 190, "explore": 440}

OTHER_PAGES = (
    "PatternsPage",
    "OverviewPage",
    "LivePage",
    "PipelinePage",
    "SettingsPage",
    "LinkPage",
)
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


def kilobytes(names: set[str]) -> float:
    """Their size over the wire."""
    return sum(len(gzip.compress((ASSETS / name).read_bytes(), 9)) for name in names) / 1000


@pytest.fixture
def sizes_kb() -> dict[str, float]:
    """Gzipped kilobytes of each part of the built pages."""
    if not ASSETS.is_dir():
        pytest.skip("the dashboard's pages are not built here")
    # The first is small and has the browser fetch the second at once, but run it later.
    start = named("index") | named("start") | named("ExplorePage")
    styles = named("index", ".css") | named("ExplorePage", ".css")
    return {
        "first": kilobytes(reached(start, later=False) | styles),
        "editor": kilobytes(named("editor")),
        "echarts": kilobytes(named("echarts")),
        "explore": kilobytes(reached(start, later=True) | styles),
    }


@pytest.mark.parametrize("part", BUDGETS_KB)
def test_a_part_is_within_its_budget(part: str, sizes_kb: dict[str, float]) -> None:
    """Each part is there, and no larger than people should have to wait for."""
    assert 0 < sizes_kb[part] <= BUDGETS_KB[part]


def test_explore_is_measured_with_what_it_loads_later(sizes_kb: dict[str, float]) -> None:
    """The editor and the charts are part of the whole, and come after the first rows."""
    late = sizes_kb["editor"] + sizes_kb["echarts"]
    assert sizes_kb["explore"] > sizes_kb["first"] + late
