"""What the dashboard costs in a browser: sizes, first paint, frames, the live tail under load.

    python -m benchmarks.ui [--quick] [--json FILE]

A real Chromium looks at a real `logstream up` with simulated traffic. A missed bar is no failure.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console

from benchmarks.servers import LOGSTREAM, Server, logstream_up, workspace
from benchmarks.table import Row, at_least, at_most, note, render, skipped
from logstream.dashboard import web

WEB: Final = Path(web.__file__).parent / "web"
RATES_PER_S: Final = (1_000, 5_000, 20_000)
LIST_ROWS: Final = 100_000
_FILL_S: Final = 10
_ARGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
)

# Notes when the first rows and the chart were in the page; asked for afterwards.
_WATCH: Final = """
window.seen = {};
const look = () => {
  const rows = document.querySelector('[role=row][data-index]');
  const chart = document.querySelector('canvas');
  if (rows && !seen.rows) seen.rows = performance.now();
  if (chart && !seen.chart) seen.chart = performance.now();
  if (!seen.rows || !seen.chart) requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""

# Between frames, in ms, while `step` px a frame are scrolled, and the heap as it goes. By the time
# that the browser gives each frame: one that was dropped shows as a gap of two, and how late within
# its frame the page's own code ran does not show.
_FRAMES: Final = """async ([selector, step, ms]) => {
  const box = selector && document.querySelector(selector);
  const frames = [], heap = [];
  let rows = 0;
  const begun = performance.now();
  let last = begun, direction = 1;
  while (last - begun < ms) {
    const now = await new Promise((next) => requestAnimationFrame(next));
    frames.push(now - last);
    last = now;
    if (box && step) {
      if (box.scrollTop + box.clientHeight >= box.scrollHeight - step) direction = -1;
      if (box.scrollTop <= step) direction = 1;
      box.scrollTop += direction * step;
    }
    if (frames.length % 30 === 0) {
      heap.push(performance.memory.usedJSHeapSize);
      rows = Math.max(rows, document.querySelectorAll('[role=grid] [role=row]').length);
    }
  }
  frames.shift();
  gc();
  return { frames, heap, rows, kept: performance.memory.usedJSHeapSize };
}"""

_TO_END: Final = "(s) => { const b = document.querySelector(s); b.scrollTop = b.scrollHeight; }"

# What this machine can do at the same time: a page that changes one line of text each frame.
_BARE: Final = """<p></p><script>
  const tick = (at) => {
    document.querySelector("p").textContent = at;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
</script>"""

_IN_SIGHT: Final = """() => [...document.querySelectorAll('[role=grid] [role=row]')]
  .map((row) => row.getAttribute('aria-rowindex') + row.textContent).slice(10, 30).join()"""


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames over a while; of the heap, bytes at most and after a collection."""

    per_s: float
    p95_ms: float
    p99_ms: float
    heap_most: int
    heap_kept: int
    dom_rows: int

    def say(self) -> str:
        return (
            f"{self.per_s:.1f}/s, p95 {self.p95_ms:.1f} ms, p99 {self.p99_ms:.1f} ms, "
            f"heap {self.heap_kept / 1e6:.0f} MB (at most {self.heap_most / 1e6:.0f}), "
            f"{self.dom_rows} rows in the page"
        )


def measure_frames(page: Page, selector: str, step_px: int, ms: int) -> Frames:
    """Scroll `selector` by `step_px` a frame for `ms`; 0: only watch."""
    found: dict[str, Any] = page.evaluate(_FRAMES, [selector, step_px, ms])
    times = sorted(found["frames"])
    return Frames(
        per_s=1_000 * len(times) / sum(times),
        p95_ms=times[int(len(times) * 0.95)],
        p99_ms=times[int(len(times) * 0.99)],
        heap_most=max(found["heap"], default=0),
        heap_kept=found["kept"],
        dom_rows=found["rows"],
    )


_ELSEWHERE: Final = (
    "OverviewPage", "LivePage", "PipelinePage", "PatternsPage", "Inspector", "patterns",
    "SettingsPage", "LinkPage", "following", "echarts", "worker",
)  # fmt: skip
"""Scripts of other pages than Explore."""


def sizes() -> Iterator[Row]:
    """What is sent, compressed as the server sends it."""
    page = (WEB / "index.html").read_text()
    scripts = sorted((WEB / "assets").glob("*.js"))

    def one(name: str) -> list[Path]:
        return [path for path in scripts if path.name.startswith(f"{name}-")]

    named = [WEB / name for name in re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page)]
    first = [*named, *one("ExplorePage"), *one("charts")]
    elsewhere = [path for name in _ELSEWHERE for path in one(name)]
    yield at_most("size", "JS + CSS before the first rows, gzip", _kb(first, ".gz"), 160, " kB")
    yield at_most("size", "ECharts chunk, gzip", _kb(one("echarts"), ".gz"), 190, " kB")
    yield at_most("size", "editor chunk, gzip", _kb(one("editor"), ".gz"), 95, " kB")
    everything = [*first, *(path for path in scripts if path not in (*first, *elsewhere))]
    yield at_most("size", "all that Explore loads, gzip", _kb(everything, ".gz"), 440, " kB")
    if any(path.with_name(path.name + ".br").exists() for path in scripts):
        yield at_most("size", "all that Explore loads, brotli", _kb(everything, ".br"), 380, " kB")
    else:
        yield skipped(
            "size", "all that Explore loads, brotli", "not compressed: `npm run build` does it"
        )


def _kb(files: Sequence[Path], ending: str) -> float:
    total = 0
    for file in files:
        ready = file.with_name(file.name + ending)
        # Files too small to be worth it are sent as they are.
        packed = (ready if ready.exists() else file).read_bytes()
        total += len(packed)
    return round(total / 1e3, 1)


def first_paint(browser: Browser, url: str, turns: int) -> Iterator[Row]:
    """Explore, opened cold: nothing cached."""
    paint, rows, chart = [], [], []
    for _ in range(turns):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.add_init_script(_WATCH)
        # A new window is some hundred milliseconds of the browser's own work.
        page.wait_for_timeout(1_000)
        page.goto(f"{url}/explore")
        page.wait_for_function("() => seen.rows && seen.chart", timeout=60_000)
        seen = page.evaluate("seen")
        paint.append(
            page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        )
        rows.append(seen["rows"])
        chart.append(seen["chart"])
        context.close()
    area = "first look"
    yield at_most(area, "first paint, median", statistics.median(paint), 200, " ms", all=paint)
    yield at_most(area, "first rows, median", statistics.median(rows), 500, " ms", all=rows)
    yield at_most(area, "chart ready, median", statistics.median(chart), 800, " ms", all=chart)


def bare_page(browser: Browser, area: str, ms: int) -> Row:
    """The frames of a page that does nothing, to hold the others against."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_content(_BARE)
    page.wait_for_timeout(1_000)
    frames = measure_frames(page, "", 0, ms)
    page.close()
    return note(area, "for comparison, a page of one line", frames.say())


def long_list(browser: Browser, url: str, ms: int) -> Iterator[Row]:
    """Explore with as many rows as it keeps: wheel and fling."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{url}/explore?from=now-1h")
    selector = "[role=grid][aria-label='Log records']"
    page.wait_for_selector(f"{selector} [data-index]")
    loaded, last, deadline = 0, -1, time.monotonic() + 120
    while loaded < LIST_ROWS and time.monotonic() < deadline:
        page.evaluate(_TO_END, selector)
        page.wait_for_timeout(60)
        text = page.get_by_role("status").all_inner_texts()
        found = re.search(r"([\d,]+) loaded", " ".join(text))
        loaded = int(found[1].replace(",", "")) if found else loaded
        if loaded != last:
            last, deadline = loaded, time.monotonic() + 20
    area = f"{loaded:,} rows".replace(",", " ")
    page.evaluate("(s) => { document.querySelector(s).scrollTop = 2400; }", selector)
    for name, step_px in (("wheel, 48 px a frame", 48), ("fling, 1 200 px a frame", 1_200)):
        frames = measure_frames(page, selector, step_px, ms)
        yield at_most(area, f"{name}: p95", frames.p95_ms, 17, " ms")
        yield at_most(area, f"{name}: p99", frames.p99_ms, 34, " ms")
        yield note(area, name, frames.say())
    page.close()


def live_tail(browser: Browser, server: Server, url: str, ms: int) -> Iterator[Row]:
    """Following, then frozen, at each rate. Above 5 000/s the server sends a sample."""
    for per_s in RATES_PER_S:
        area = f"live tail, {per_s:,}/s".replace(",", " ")
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/live")
        with traffic(server, per_s):
            page.wait_for_timeout(4_000)
            frames = measure_frames(page, "", 0, ms)
            yield at_least(area, "frames", frames.per_s, 59, "/s")
            yield at_most(area, "p95", frames.p95_ms, 17, " ms")
            yield at_most(area, "heap", frames.heap_kept / 1e6, 100, " MB")
            yield note(area, "following", frames.say())
            page.get_by_role("grid").hover()
            page.mouse.wheel(0, -300)
            page.wait_for_timeout(200)
            before = page.evaluate(_IN_SIGHT)
            page.wait_for_timeout(5_000)
            held = page.evaluate(_IN_SIGHT) == before
            chip = page.get_by_role("button", name=re.compile("^Paused")).inner_text()
            said = f"{'yes' if held else 'no'}: {chip}"
            yield Row(area, "frozen rows stay 5 s", "yes", said, "met" if held else "missed")
            page.close()
            yield bare_page(browser, area, ms // 2)


@contextmanager
def traffic(server: Server, per_s: int) -> Iterator[None]:
    """Simulated traffic while the block runs."""
    arguments = ["--rate", str(per_s), "--batch", "1000", "--scenario", "steady"]
    sender = subprocess.Popen(_simulate(server, *arguments), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        sender.terminate()
        sender.wait(30)


def fill(server: Server, records: int) -> None:
    """About so many records in the store."""
    arguments = ["--rate", str(records // _FILL_S), "--seconds", str(_FILL_S), "--batch", "1000"]
    subprocess.run(_simulate(server, *arguments), stdout=subprocess.DEVNULL, check=True)
    time.sleep(3)


def _simulate(server: Server, *arguments: str) -> list[str]:
    url = f"http://127.0.0.1:{server.port}"
    return [str(LOGSTREAM), "simulate", "--quiet", "--url", url, *arguments]


def measure(quick: bool) -> Iterator[Row]:
    """All rows of the table."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not (WEB / "index.html").exists():
        yield skipped("everything", "", "the front end is not built: `npm ci && npm run build`")
        return
    yield from sizes()
    if chromium is None:
        yield skipped("browser", "", "no Chromium here: `apt-get install chromium`")
        return
    ms = 2_000 if quick else 8_000
    with (
        workspace(None) as folder,
        logstream_up(folder / "data") as server,
        sync_playwright() as playwright,
    ):
        url = f"http://127.0.0.1:{server.dashboard_port}"
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGS))
        fill(server, 20_000 if quick else 130_000)
        yield from first_paint(browser, url, 3 if quick else 7)
        yield from long_list(browser, url, ms)
        yield from live_tail(browser, server, url, ms)
        browser.close()


def main() -> int:
    """Measure, print the table, keep the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter, with fewer rows")
    parser.add_argument("--json", type=Path, help="also write every figure here")
    options = parser.parse_args()
    console = Console()
    rows: list[Row] = []
    for row in measure(options.quick):
        rows.append(row)
        console.print(f"[dim]{row.area}: {row.what} {row.measured}[/]")
    render(rows, console)
    if options.json:
        options.json.write_text(json.dumps([row.to_json() for row in rows], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
