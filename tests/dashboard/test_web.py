"""The built pages: what is served for which address, how it is kept, and what never is."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar.types import Receive, Scope, Send

from logstream.dashboard.app import create_app
from logstream.dashboard.services import Services
from logstream.dashboard.web import Pages, Site, read_site
from logstream.settings import Settings
from logstream.testing.clock import FakeClock
from tests.dashboard.support import assert_error, make_services

PAGE = (
    '<!doctype html><html><head><base href="/" /></head><body><div id="root"></div></body></html>'
)
SCRIPT = "console.log(1);\n" * 200
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site as the front end's build leaves it."""
    web = tmp_path / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text(PAGE)
    (web / "logo.svg").write_text("<svg/>")
    (web / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (web / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (web / "assets" / "index-1a2b.js.br").write_bytes(b"as brotli")
    (web / "assets" / "notes.secret").write_text("not for browsers")
    (tmp_path / "outside.js").write_text("outside")
    return read_site(web)


def client_of(services: Services, site: Site) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(services, site))  # type: ignore[arg-type] # its ASGI types are looser
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
async def client(services: Services, site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(services, site) as opened:
        # What httpx asks for by itself is not what this is about.
        opened.headers["accept-encoding"] = "identity"
        yield opened


@pytest.mark.parametrize("path", ["/", "/explore", "/live?q=a:b&from=now-1h", "/any/where"])
async def test_every_page_is_the_one_page(client: httpx.AsyncClient, path: str) -> None:
    """Each address that a person can open answers with the page, whatever its parameters."""
    response = await client.get(path, headers=HTML)
    assert response.status_code == 200
    assert response.text == PAGE
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/api/v1/nope", "/api", "/assets/gone-1234.js"])
async def test_what_is_no_page_stays_an_error(client: httpx.AsyncClient, path: str) -> None:
    """Unknown API paths and files are 404 even for a browser's address bar."""
    assert_error(await client.get(path, headers=HTML), 404, "not_found")


async def test_the_api_answers_as_before(client: httpx.AsyncClient) -> None:
    """Routes of the API are reached, also by browsers, and programs get no page."""
    for path in ("/health", "/metrics", "/api/v1/info", "/ready", "/api/openapi.json"):
        response = await client.get(path, headers=HTML)
        assert response.status_code == 200
        assert "<!doctype" not in response.text
    assert_error(await client.get("/explore"), 404, "not_found")
    assert_error(await client.post("/explore", headers=HTML), 404, "not_found")


async def test_hashed_files_are_kept_for_ever(client: httpx.AsyncClient) -> None:
    """What has a hash in its name is never asked for again; what has none is, by its tag."""
    script = await client.get("/assets/index-1a2b.js")
    assert script.text == SCRIPT
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    logo = await client.get("/logo.svg")
    assert logo.headers["cache-control"] == "no-cache"
    assert logo.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("gzip;q=0.5, br;q=0", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("", ""),
        ("identity", ""),
        ("deflate", ""),
        ("gzip;q=0.0, br; q=0", ""),
    ],
)
async def test_the_best_coding_is_chosen(
    client: httpx.AsyncClient, accept: str, coding: str
) -> None:
    """Brotli before gzip before nothing, and never what the client refuses."""
    path = "/assets/index-1a2b.js"
    async with client.stream("GET", path, headers={"accept-encoding": accept}) as response:
        body = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers.get("content-encoding", "") == coding
    assert response.headers["vary"] == "accept-encoding"
    assert int(response.headers["content-length"]) == len(body)
    if coding == "br":
        assert body == b"as brotli"
    else:
        assert (gzip.decompress(body) if coding else body) == SCRIPT.encode()


async def test_unchanged_files_are_not_sent_again(client: httpx.AsyncClient) -> None:
    """A known tag is answered with 304; codings have different tags."""
    for path, headers in (("/", HTML), ("/logo.svg", {}), ("/assets/index-1a2b.js", {})):
        tag = (await client.get(path, headers=headers)).headers["etag"]
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await client.get(path, headers={**headers, "if-none-match": known})
            assert again.status_code == 304
            assert again.headers["etag"] == tag
            assert again.content == b""
        changed = await client.get(path, headers={**headers, "if-none-match": '"other"'})
        assert changed.status_code == 200
    plain = await client.get("/assets/index-1a2b.js")
    coded = await client.head("/assets/index-1a2b.js", headers={"accept-encoding": "br"})
    assert plain.headers["etag"] != coded.headers["etag"]


async def test_head_is_get_without_the_body(client: httpx.AsyncClient) -> None:
    """HEAD tells the length and sends nothing."""
    response = await client.head("/logo.svg")
    assert response.status_code == 200
    assert response.headers["content-length"] == "6"
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../outside.js",
        "/assets/..%2f..%2foutside.js",
        "/%2e%2e/outside.js",
        "/assets//outside.js",
        "/assets/notes.secret",
        "/assets/index-1a2b.js.gz",
        "/assets/index-1a2b.js%00",
        "/assets",
    ],
)
async def test_no_other_file_is_reached(client: httpx.AsyncClient, path: str) -> None:
    """Only names in the table are served: no way out of the folder, no other types."""
    response = await client.get(path)
    assert response.status_code == 404
    assert "outside" not in response.text.replace("outside.js", "")


@pytest.mark.parametrize(
    ("prefix", "base"),
    [
        ("/logs", "/logs/"),
        ("/a/b-c/", "/a/b-c/"),
        ("", "/"),
        ("//evil.example", "/"),
        ('/"><script>', "/"),
        ("https://evil.example", "/"),
        ("/a/../b\\c", "/"),
    ],
)
async def test_the_base_is_where_the_proxy_shows_it(
    client: httpx.AsyncClient, prefix: str, base: str
) -> None:
    """Below a proxy's path the page's own links lead there; what is no path is ignored."""
    response = await client.get("/explore", headers={**HTML, "x-forwarded-prefix": prefix})
    assert f'<base href="{base}" />' in response.text
    assert "script" not in response.text


async def test_the_server_knows_its_own_root_path(site: Site) -> None:
    """A root path that the server was given wins over what a header says."""

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not for the API")

    transport = httpx.ASGITransport(Pages(nothing, site), root_path="/own")  # type: ignore[arg-type] # looser
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/", headers={"x-forwarded-prefix": "/other"})
    assert '<base href="/own/" />' in response.text


async def test_pages_ask_for_the_key_too(site: Site, clock: FakeClock) -> None:
    """With access keys set, pages and files are for those who have one."""
    async with (
        make_services(settings=Settings(api_keys=("key",)), clock=clock) as services,
        client_of(services, site) as client,
    ):
        for path in ("/", "/explore", "/assets/index-1a2b.js"):
            assert_error(await client.get(path, headers=HTML), 401, "unauthorized")
            opened = await client.get(path, headers={**HTML, "x-api-key": "key"})
            assert opened.status_code == 200
