"""What the dashboard keeps for its users: saved views, signals, short links, shared pins."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.dashboard.shelf import file, shares
from logstream.dashboard.shelf.file import FILE_NAME, on_shelf
from logstream.dashboard.shelf.values import (
    MAX_PINS,
    MAX_SHARE_AGE_S,
    MAX_SHARE_BYTES,
    MAX_VIEW_BYTES,
    MAX_VIEWS,
    PageState,
    checked_name,
    checked_state,
    share_id,
)
from logstream.errors import LogStreamError
from logstream.record import Record
from logstream.settings import Settings
from logstream.testing.clock import FakeClock
from tests.dashboard.support import assert_error, make_services, open_client

HOSTILE = (
    "'; DROP TABLE views; --",
    "<img src=x onerror=alert(1)>",
    '"quoted" \\ back',
    "emoji 🪵 and \u202eoverride",
    "%s {0} ${x}",
)


@asynccontextmanager
async def dashboard(folder: Path, **given: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a dashboard whose data folder this is."""
    async with (
        make_services(settings=Settings(data_dir=folder, **given)) as services,
        open_client(services) as client,
    ):
        yield client


async def saved(client: httpx.AsyncClient, name: str, **members: Any) -> dict[str, Any]:
    """A new view as it was answered."""
    members = {"search": "q=x", **members} if members.get("kind") != "signal" else members
    answer = await client.post("/api/v1/views", json={"name": name, **members})
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def views(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/views")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["views"]
    return found


def aside_in(folder: Path) -> list[Path]:
    """Files that were set aside."""
    return list(folder.glob(f"{FILE_NAME}.damaged-*"))


# Saved views


async def test_a_view_is_kept_changed_and_deleted(client: httpx.AsyncClient) -> None:
    """What was saved is listed as it was; each change counts its version up."""
    made = await saved(client, "  Errors ", search="q=level%3Aerror&cols=%5B%22host%22%5D")
    assert made["name"] == "Errors"
    assert made["version"] == 1
    assert await views(client) == [made]
    changed = await client.put(
        f"/api/v1/views/{made['id']}", json={"name": "Failures", "search": "q=a", "version": 1}
    )
    assert changed.json() | {"updated_at": ""} == made | {
        "name": "Failures", "search": "q=a", "version": 2, "updated_at": "",
    }  # fmt: skip
    gone = await client.delete(f"/api/v1/views/{made['id']}", params={"version": 2})
    assert gone.json() == {"id": made["id"]}
    assert await views(client) == []


async def test_who_comes_second_is_told(client: httpx.AsyncClient) -> None:
    """A change or a deletion of a version that is no more is refused and changes nothing."""
    made = await saved(client, "Errors")
    url = f"/api/v1/views/{made['id']}"
    first = {"name": "Errors", "search": "q=first", "version": 1}
    assert (await client.put(url, json=first)).status_code == 200
    second = await client.put(url, json=first | {"search": "q=second"})
    assert "load it again" in assert_error(second, 409, "conflict", "somebody")["hint"]
    assert_error(await client.delete(url, params={"version": 1}), 409, "conflict")
    assert [view["search"] for view in await views(client)] == ["q=first"]
    await client.delete(url, params={"version": 2})
    assert_error(await client.put(url, json=first), 404, "not_found")
    assert_error(await client.delete(url, params={"version": 2}), 404, "not_found")


async def test_a_name_is_taken_once_for_each_kind(client: httpx.AsyncClient) -> None:
    """A view and a signal may share a name, two views may not."""
    await saved(client, "Errors")
    await saved(client, "Errors", kind="signal", query="level:error")
    other = await saved(client, "Other")
    answer = await client.post("/api/v1/views", json={"name": "Errors", "search": ""})
    assert_error(answer, 409, "conflict", "already")
    renamed = await client.put(
        f"/api/v1/views/{other['id']}", json={"name": "Errors", "search": "", "version": 1}
    )
    assert_error(renamed, 409, "conflict", "already")


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_text(client: httpx.AsyncClient, name: str) -> None:
    """Whatever a name or a group holds comes back as it was given."""
    made = await saved(client, name, kind="signal", query=f"x:{'1'}", group=name)
    assert (made["name"], made["group"]) == (name, name)
    assert await views(client) == [made]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "  "}, "empty"),
        ({"name": "a\nb"}, "control"),
        ({"name": "a\u2028b"}, "control"),
        ({"name": "x" * 101}, "101"),
        ({"name": "x", "search": "?q=1"}, "query string"),
        ({"name": "x", "search": "q=1#top"}, "query string"),
        ({"name": "x", "search": "q=a b"}, "query string"),
        ({"name": "x", "search": "q=\u00e4"}, "query string"),
        ({"name": "x", "query": "level:error"}, "query"),
        ({"name": "x", "kind": "signal", "query": " "}, "empty"),
        ({"name": "x", "kind": "signal", "query": "a | stats count()"}, "pipes"),
        ({"name": "x", "kind": "signal", "query": "a", "search": "q=1"}, "search"),
        ({"name": "x", "kind": "other"}, "other"),
        ({"name": "x", "color": "red"}, "color"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, body: dict[str, str], text: str
) -> None:
    """Each refusal says what is wrong, and nothing is kept."""
    assert_error(await client.post("/api/v1/views", json=body), 400, "bad_request", text)
    assert await views(client) == []


async def test_a_signal_has_to_parse(client: httpx.AsyncClient) -> None:
    """A filter that does not parse is refused with its place."""
    answer = await client.post(
        "/api/v1/views", json={"name": "x", "kind": "signal", "query": "level:("}
    )
    assert assert_error(answer, 400, "bad_query")["column"] == 8


async def test_views_are_bounded(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A view that is too large, or one too many, is refused in words."""
    large = {"name": "x", "search": "q=" + "x" * MAX_VIEW_BYTES}
    assert_error(await client.post("/api/v1/views", json=large), 413, "payload_too_large")
    signal = {"name": "x", "kind": "signal", "query": "x" * (MAX_VIEW_BYTES + 1)}
    assert_error(await client.post("/api/v1/views", json=signal), 413, "payload_too_large")
    assert MAX_VIEWS == 500
    monkeypatch.setattr("logstream.dashboard.shelf.views.MAX_VIEWS", 2)
    await saved(client, "1")
    await saved(client, "2")
    answer = await client.post("/api/v1/views", json={"name": "3"})
    assert "delete" in assert_error(answer, 409, "conflict", "2 views")["hint"]


# Short links


async def test_a_short_link_leads_back(client: httpx.AsyncClient) -> None:
    """The same place gives the same id, another one another."""
    place = {"path": "/explore", "search": "q=" + "x" * 5_000}
    made = (await client.post("/api/v1/share", json=place)).json()
    assert re.fullmatch("[a-z2-7]{16}", made["id"])
    assert (await client.post("/api/v1/share", json=place)).json() == made
    other = (await client.post("/api/v1/share", json=place | {"path": "/live"})).json()
    assert other != made
    assert (await client.get(f"/api/v1/share/{made['id']}")).json() == place
    missing = await client.get("/api/v1/share/nosuchlink")
    assert "365 days" in assert_error(missing, 404, "not_found", "nosuchlink")["hint"]


@pytest.mark.parametrize(
    "path",
    ["", "explore", "//evil.example", "/\\evil", "https://evil.example/", "/api/v1/info", "/s/abc",
     "/explore/../api", "/Explore", "/explore?q=1", "/a/b/c/d", "/javascript:alert(1)", "/x\n",
     "/assets/x", "/metrics"],
)  # fmt: skip
async def test_only_pages_are_shared(client: httpx.AsyncClient, path: str) -> None:
    """A path that is not one of a page of this dashboard is refused."""
    answer = await client.post("/api/v1/share", json={"path": path, "search": ""})
    assert_error(answer, 400, "bad_request", "no page")


async def test_a_place_is_bounded(client: httpx.AsyncClient) -> None:
    """64 KiB are kept, one byte more is refused."""
    room = MAX_SHARE_BYTES - len("/explore")
    fits = {"path": "/explore", "search": "x" * room}
    assert (await client.post("/api/v1/share", json=fits)).status_code == 201
    answer = await client.post("/api/v1/share", json=fits | {"search": "x" * (room + 1)})
    assert_error(answer, 413, "payload_too_large")


async def test_the_oldest_links_go(
    client: httpx.AsyncClient, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number, size and age are bounded; what was asked for again stays longer; all are counted."""

    async def share(search: str) -> str:
        clock.advance(1)
        answer = await client.post("/api/v1/share", json={"path": "/", "search": search})
        return str(answer.json()["id"])

    async def kept(*ids: str) -> list[bool]:
        answers = [await client.get(f"/api/v1/share/{each}") for each in ids]
        return [answer.status_code == 200 for answer in answers]

    monkeypatch.setattr(shares, "MAX_SHARES", 2)
    first, second = await share("q=1"), await share("q=2")
    await share("q=1")
    third = await share("q=3")
    assert await kept(first, second, third) == [True, False, True]
    monkeypatch.setattr(shares, "MAX_SHARES_BYTES", 11)
    fourth = await share("q=44444")
    assert await kept(first, third, fourth) == [False, False, True]
    clock.advance(MAX_SHARE_AGE_S + 1)
    assert await kept(fourth) == [False]
    await share("q=5")
    state = (await client.get("/api/v1/shelf")).json()
    assert (state["shares"], state["shares_dropped"]) == (1, 4)


@given(path=st.text(max_size=40), search=st.text(max_size=40))
@settings(max_examples=200)
def test_no_text_becomes_another_site(path: str, search: str) -> None:
    """Whatever is let through is a path of letters below this site and a plain query string."""
    try:
        state = checked_state(path, search)
    except LogStreamError:
        return
    assert re.fullmatch(r"/([a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)*)?", state.path)
    assert state.search.isascii()
    assert not re.search(r"[\s#]", state.search)


def test_ids_do_not_depend_on_the_machine() -> None:
    """A place has the same id everywhere and always."""
    assert share_id(PageState("/explore", "q=1")) == "2xmn4fmgzxbfnguf"


# Pins


async def test_pins_are_shared(client: httpx.AsyncClient, clock: FakeClock) -> None:
    """Pinning twice is pinning once; the order is that of pinning; names are as queries write."""

    async def pin(field: str, pinned: bool = True) -> list[str]:
        clock.advance(1)
        answer = await client.post("/api/v1/pins", json={"field": field, "pinned": pinned})
        found: list[str] = answer.json()["fields"]
        return found

    await pin("status")
    await pin("a b")
    assert await pin("status") == ["status", '"a b"']
    assert (await client.get("/api/v1/pins")).json() == {"fields": ["status", '"a b"']}
    assert await pin("status", pinned=False) == ['"a b"']


async def test_pins_are_bounded(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many of them, none and too long ones are refused."""
    assert MAX_PINS == 200
    monkeypatch.setattr("logstream.dashboard.shelf.pins.MAX_PINS", 1)
    await client.post("/api/v1/pins", json={"field": "a", "pinned": True})
    answer = await client.post("/api/v1/pins", json={"field": "b", "pinned": True})
    assert_error(answer, 409, "conflict", "1 fields")
    for field in ("", "x" * 1_001):
        answer = await client.post("/api/v1/pins", json={"field": field, "pinned": True})
        assert_error(answer, 400, "bad_request", "field")


# The file


ROUTES = ("/api/v1/views", "/api/v1/pins", "/api/v1/shelf", "/api/v1/share/x")


async def test_without_its_folder_the_rest_works(tmp_path: Path, stored: Sequence[Record]) -> None:
    """A folder that is not there is named with its setting; it is not made; searches go on."""
    async with dashboard(tmp_path / "missing") as client:
        for route in ROUTES:
            error = assert_error(await client.get(route), 503, "shelf_unavailable", "missing")
            assert "LOGSTREAM_DATA_DIR" in error["hint"]
        assert (await client.get("/api/v1/search")).status_code == 200
        assert (await client.get("/ready")).status_code == 200
    assert not (tmp_path / "missing").exists()


def _read_only(folder: Path) -> bool:
    """Makes the folder read-only; false: root may write all the same."""
    folder.chmod(0o500)
    return not os.access(folder, os.W_OK)


async def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    """Where nothing can be written the answer says which setting to change."""
    folder = tmp_path / "kept"
    folder.mkdir()
    if not _read_only(folder):
        # What a read-only file system does to a file that is there.
        folder.chmod(0o700)
        (folder / FILE_NAME).mkdir()
    try:
        async with dashboard(folder) as client:
            error = assert_error(await client.get("/api/v1/views"), 503, "shelf_unavailable")
            assert "LOGSTREAM_DATA_DIR" in error["hint"]
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("damage", ["header", "page", "empty_header"])
async def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: str) -> None:
    """It is kept under another name, said so, and a new one begun; nothing is wiped."""
    async with dashboard(tmp_path) as client:
        for number in range(60):
            await saved(client, f"view {number}", search="q=" + "x" * 500)
        path = tmp_path / FILE_NAME
        content = bytearray(path.read_bytes())
        if damage == "page":
            content[4096:] = b"\xa5" * (len(content) - 4096)
        else:
            content[:100] = b"\xa5" * 100 if damage == "header" else bytes(100)
        path.write_bytes(content)
        assert await views(client) == []
        [aside] = (await client.get("/api/v1/shelf")).json()["set_aside"]
        assert (tmp_path / aside["file"]).read_bytes() == content
        await saved(client, "new")
        assert len(await views(client)) == 1
        assert len(aside_in(tmp_path)) == 1


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """What a newer version has written is neither read nor set aside."""
    async with dashboard(tmp_path) as client:
        await saved(client, "kept")
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
            db.execute(f"PRAGMA user_version = {file.VERSION + 1}")
        answer = await client.get("/api/v1/views")
        assert_error(answer, 503, "shelf_unavailable", "newer LogStream")
        assert aside_in(tmp_path) == []


async def test_a_file_in_use_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who holds the file for too long is said to be at fault, and nothing is changed."""
    monkeypatch.setattr(file, "BUSY_S", 0.05)
    async with dashboard(tmp_path) as client:
        await saved(client, "kept")
        with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            error = assert_error(await client.get("/api/v1/views"), 503, "shelf_unavailable")
            assert "ask again" in error["hint"]
            db.execute("ROLLBACK")
        assert len(await views(client)) == 1


async def test_a_failed_change_leaves_no_half(tmp_path: Path) -> None:
    """A transaction that fails in its middle is undone."""

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO pins VALUES ('x', 1)")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        await on_shelf(tmp_path, half)
    found = await on_shelf(tmp_path, lambda db: db.execute("SELECT * FROM pins").fetchall())
    assert found == []


_WRITER = """
import asyncio, sys
from pathlib import Path
from logstream.dashboard.shelf.file import on_shelf
from logstream.dashboard.shelf.shares import add_share
from logstream.dashboard.shelf.values import PageState
from logstream.dashboard.shelf.views import add_view, change_view, list_views
from logstream.dashboard.shelf.values import View
from logstream.errors import Conflict

folder, who = Path(sys.argv[1]), sys.argv[2]

async def main():
    for n in range(25):
        view = View(id=f"{who}{n}", kind="view", name=f"{who} {n}")
        await on_shelf(folder, lambda db: add_view(db, view))
        await on_shelf(folder, lambda db: add_share(db, PageState("/", f"q={who}{n}"), now_ns=n))
    won = 0
    while won < 25:
        [shared] = [v for v in await on_shelf(folder, list_views) if v.id == "both"]
        try:
            await on_shelf(folder, lambda db: change_view(db, shared))
            won += 1
        except Conflict:
            pass

asyncio.run(main())
"""


async def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """Both write at once, from the file's first moment on; no change is lost, none counts twice."""
    async with dashboard(tmp_path) as client:
        shelf = tmp_path / FILE_NAME
        both = "INSERT INTO views VALUES ('both', 'view', 'both', '', '', '', 1, 0)"
        await on_shelf(tmp_path, lambda db: db.execute(both))
        assert shelf.exists()
        started = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(tmp_path), who)
            for who in ("a", "b")
        ]
        assert [await each.wait() for each in started] == [0, 0]
        found = await views(client)
        assert len(found) == 51
        assert [view["version"] for view in found if view["id"] == "both"] == [51]
        assert (await client.get("/api/v1/shelf")).json()["shares"] == 50


async def test_two_processes_set_one_file_aside(tmp_path: Path) -> None:
    """However many notice the damage, it is renamed once and what comes after is kept."""
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1_000)
    script = (
        "import asyncio, sys; from pathlib import Path;"
        "from logstream.dashboard.shelf.file import on_shelf;"
        "from logstream.dashboard.shelf.pins import pin;"
        "asyncio.run(on_shelf(Path(sys.argv[1]), lambda db: pin(db, sys.argv[2], now_ns=1)))"
    )
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path), who)
        for who in "abc"
    ]
    assert [await each.wait() for each in started] == [0, 0, 0]
    async with dashboard(tmp_path) as client:
        assert (await client.get("/api/v1/pins")).json() == {"fields": ["a", "b", "c"]}
        [aside] = (await client.get("/api/v1/shelf")).json()["set_aside"]
    assert (tmp_path / aside["file"]).read_bytes() == b"not a database" * 1_000


async def test_a_deleted_file_is_begun_anew(tmp_path: Path) -> None:
    """Whoever deletes or restores the file while the dashboard runs needs no restart."""
    async with dashboard(tmp_path) as client:
        await saved(client, "gone")
        shutil.move(tmp_path / FILE_NAME, tmp_path / "copy")
        assert await views(client) == []
        shutil.move(tmp_path / "copy", tmp_path / FILE_NAME)
        assert [view["name"] for view in await views(client)] == ["gone"]


async def test_keys_are_asked_for(tmp_path: Path) -> None:
    """With access keys set nothing of it is shown or changed without one."""
    async with dashboard(tmp_path, api_keys=("secret",)) as client:
        for route in ROUTES:
            assert_error(await client.get(route), 401, "unauthorized")
        for route in ("/api/v1/views", "/api/v1/share", "/api/v1/pins"):
            assert_error(await client.post(route, json={}), 401, "unauthorized")
        assert_error(await client.put("/api/v1/views/x", json={}), 401, "unauthorized")
        assert_error(await client.delete("/api/v1/views/x?version=1"), 401, "unauthorized")
        answer = await client.get("/api/v1/views", headers={"x-api-key": "secret"})
        assert answer.status_code == 200


async def test_other_sites_change_nothing(client: httpx.AsyncClient) -> None:
    """A request that a page of another site made is refused."""
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for method, route in (
        ("POST", "/api/v1/views"), ("PUT", "/api/v1/views/x"), ("DELETE", "/api/v1/views/x"),
        ("POST", "/api/v1/share"), ("POST", "/api/v1/pins"),
    ):  # fmt: skip
        answer = await client.request(method, route, headers=foreign, json={})
        assert_error(answer, 403, "forbidden")


@given(name=st.text(max_size=120))
@settings(max_examples=200)
def test_any_name_is_kept_or_refused(name: str) -> None:
    """No text makes another error, and what is kept is one line that checks as itself."""
    try:
        kept = checked_name(name)
    except LogStreamError:
        return
    assert kept
    assert checked_name(kept) == kept
    assert len(kept.splitlines()) == 1
    kept.encode()
