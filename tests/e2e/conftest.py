"""A real Chromium against a real platform.

Playwright keeps an event loop running in the thread that uses it, in which no asynchronous test
could run any more: so all of it lives in one thread of its own, and tests with a `page` run there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Response,
    expect,
    sync_playwright,
)

from logstream.dashboard.web import built
from tests.e2e import hostile
from tests.e2e.running import Platform

T = TypeVar("T")

HERE = Path(__file__).parent
PATIENCE_MS = 20_000
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="playwright")
_NEEDS_THREAD = {"page", "open_page"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "e2e: needs Chromium and the built front end")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them last and together: then the platform runs no longer than they need it."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.e2e)
    items[:] = [item for item in items if HERE not in item.path.parents] + ours


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if HERE not in pyfuncitem.path.parents or not _NEEDS_THREAD & {*pyfuncitem.fixturenames}:
        return None
    names = pyfuncitem._fixtureinfo.argnames
    _in_thread(lambda: pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def _in_thread(run: Callable[[], T]) -> T:
    return _THREAD.submit(run).result()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without it, or without pages, there is nothing to test."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium here: `apt-get install chromium`")
    if built() is None:
        pytest.skip("the front end is not built: `npm ci && npm run build` in frontend/")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    def start() -> tuple[Playwright, Browser]:
        expect.set_options(timeout=PATIENCE_MS)
        playwright = sync_playwright().start()
        # As root there is no sandbox to be had; the pages are our own.
        args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        return playwright, playwright.chromium.launch(executable_path=chromium, args=args)

    playwright, started = _in_thread(start)
    yield started

    def stop() -> None:
        started.close()
        playwright.stop()

    _in_thread(stop)


@pytest.fixture(scope="session")
def platform(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with hostile records and a few seconds of a fleet's, where more keep coming."""
    running = Platform(tmp_path_factory.mktemp("platform"))
    try:
        running.send(hostile.records())
        with running.traffic(100):
            running.send([{"level": "error", "service": "setup", "message": "needle in the hay"}])
            yield running
    finally:
        running.close()


@pytest.fixture
def problems() -> list[str]:
    """What a test's pages complained of. A test that expects a complaint clears it."""
    return []


@pytest.fixture
def refusals() -> list[str]:
    """Parts of addresses that a test has the API refuse with 400: each of them, and no other."""
    return []


@pytest.fixture
def context(browser: Browser, problems: list[str], refusals: list[str]) -> Iterator[BrowserContext]:
    made = _in_thread(
        lambda: browser.new_context(
            viewport={"width": 1280, "height": 800},
            color_scheme="dark",
            timezone_id="Europe/Berlin",
            locale="en-GB",
            accept_downloads=True,
        )
    )
    yield made
    _in_thread(made.close)
    for part in refusals:
        provoked = [each for each in problems if each.startswith("400 ") and part in each]
        assert provoked, f"nothing with {part} was refused"
        problems[:] = [each for each in problems if each not in provoked]
    assert not problems


@pytest.fixture
def open_page(context: BrowserContext, problems: list[str]) -> Callable[[str], Page]:
    """Opens an address in a tab that is watched for errors."""

    def opened(url: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        _watch(page, problems)
        page.goto(url)
        return page

    return opened


@pytest.fixture
def page(context: BrowserContext, problems: list[str], platform: Platform) -> Page:
    """A watched tab, nothing opened in it."""

    def make() -> Page:
        made = context.new_page()
        made.set_default_timeout(PATIENCE_MS)
        _watch(made, problems)
        return made

    return _in_thread(make)


def _watch(page: Page, problems: list[str]) -> None:
    page.add_init_script(
        "addEventListener('securitypolicyviolation',"
        "(e) => console.error('policy violated', e.violatedDirective, e.blockedURI))"
    )

    def on_console(message: ConsoleMessage) -> None:
        # What the API refuses Chromium notes by itself; it is counted below, with its address.
        refused = "status of 400" in message.text and "/api/" in message.location.get("url", "")
        if message.type == "error" and not refused:
            problems.append(f"console: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 500 or response.status == 400:
            problems.append(f"{response.status} from {response.url}")

    def on_dialog(dialog: Any) -> None:
        problems.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(f"thrown: {error}"))
    page.on("response", on_response)
    page.on("dialog", on_dialog)
