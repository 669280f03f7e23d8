"""What surrounds every route: keys, hosts, origins, headers, the error shape, OpenAPI."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute

from logstream.access import is_loopback
from logstream.dashboard.app import create_app
from logstream.dashboard.auth import Gate, host_of
from logstream.dashboard.services import Services
from logstream.errors import LogStreamError
from logstream.query import Query
from logstream.settings import Settings
from logstream.store.base import TimeRange
from logstream.store.memory import MemoryStore
from logstream.testing.clock import FakeClock
from tests.dashboard.support import assert_error, make_services, open_client

KEYS = ("first-key", "second-key")


def every_route(app: Litestar) -> Iterator[tuple[str, str]]:
    """Method and path of each route, with something in place of its parameters."""
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        for method in sorted(route.methods):
            yield method, re.sub(r"\{[^}]*\}", "x", route.path)


async def test_every_route_asks_for_a_key(clock: FakeClock) -> None:
    """With keys set, each route of the application but /health refuses whoever has none."""
    settings = Settings(api_keys=KEYS)
    async with (
        make_services(settings=settings, clock=clock) as services,
        open_client(services) as client,
    ):
        asked = set()
        for method, path in every_route(create_app(services)):
            for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
                response = await client.request(method, path, headers=headers)
                asked.add(path)
                if path == "/health":
                    assert response.status_code != 401
                else:
                    assert_error(response, 401, "unauthorized")
                    assert response.headers["www-authenticate"].startswith("Basic")
        assert len(asked) > 20
        assert_error(await client.get("/nowhere"), 401, "unauthorized")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("key", KEYS)
async def test_each_key_opens_in_each_way(clock: FakeClock, key: str) -> None:
    """Bearer, X-API-Key and Basic (key as password, any name) are understood for each key."""
    settings = Settings(api_keys=KEYS)
    async with (
        make_services(settings=settings, clock=clock) as services,
        open_client(services, "http://logs.example:3001") as client,
    ):
        for headers in (
            {"authorization": f"Bearer {key}"},
            {"authorization": f"bearer  {key} "},
            {"x-api-key": key},
            {"authorization": basic("anybody", key)},
        ):
            assert (await client.get("/api/v1/info", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer first-key x",
        "Basic !!!",
        "Basic Zmlyc3Qta2V5",
        "Basic é",
        "first-key",
        "é",
    ],
)
async def test_odd_credentials_open_nothing(clock: FakeClock, value: str) -> None:
    """Credentials that are malformed are refused like wrong ones."""
    settings = Settings(api_keys=KEYS)
    async with (
        make_services(settings=settings, clock=clock) as services,
        open_client(services) as client,
    ):
        headers = {b"authorization": value.encode()}
        assert_error(await client.get("/api/v1/info", headers=headers), 401, "unauthorized")


@given(st.text(max_size=20))
def test_only_the_keys_open(text: str) -> None:
    """No other text passes the gate."""
    gate = Gate(Settings(api_keys=KEYS))
    if text.strip() in KEYS:
        gate.check("GET", "/", {"x-api-key": text})
        return
    with pytest.raises(LogStreamError):
        gate.check("GET", "/", {"x-api-key": text})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:3001", 200),
        ("LOCALHOST:3001", 200),
        ("app.localhost", 200),
        ("127.0.0.1:3001", 200),
        ("127.8.8.8", 200),
        ("[::1]:3001", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.168.0.10:3001", 403),
        ("0.0.0.0", 403),
        ("", 403),
    ],
)
async def test_strange_hosts_are_refused_without_keys(
    client: httpx.AsyncClient, host: str, status: int
) -> None:
    """Without keys only names of this machine are served: a rebound name is not one."""
    response = await client.get("/api/v1/info", headers={"host": host})
    if status == 200:
        assert response.status_code == 200
    else:
        assert_error(response, 403, "forbidden")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://localhost", "sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://localhost"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://["}, False),
        ({"origin": "http://localhost:8080"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://localhost"}, False),
    ],
)
async def test_pages_of_other_sites_change_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], allowed: bool
) -> None:
    """A request that changes something must not come from a page of another origin."""
    response = await client.delete("/api/v1/dead-letters?ids=all", headers=headers)
    if allowed:
        assert response.status_code == 200
    else:
        assert_error(response, 403, "forbidden", "another site")


def test_hosts_are_read_as_browsers_write_them() -> None:
    """Ports and brackets are not part of the name."""
    assert host_of("[::1]:3001") == "::1"
    assert host_of("::1") == "::1"
    assert host_of("a.b:80") == "a.b"
    assert not is_loopback("")
    assert not is_loopback("1270.0.0.1")


async def test_security_headers_are_on_every_answer(client: httpx.AsyncClient) -> None:
    """Pages, data and errors all carry the same strict headers and an id."""
    for path in ("/", "/assets/page.js", "/health", "/api/v1/info", "/nowhere", "/metrics"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-request-id"]


async def test_request_ids(client: httpx.AsyncClient) -> None:
    """A proxy's id is kept when it is tame, else replaced; ids differ."""
    kept = await client.get("/health", headers={"x-request-id": "abc-123"})
    assert kept.headers["x-request-id"] == "abc-123"
    odd = await client.get("/health", headers={"x-request-id": "a b<script>"})
    assert re.fullmatch("[0-9a-f]{16}", odd.headers["x-request-id"])


async def test_routes_that_are_not_there(client: httpx.AsyncClient) -> None:
    """404 and 405 have the one shape; 405 says what is allowed."""
    assert_error(await client.get("/api/v1/nope"), 404, "not_found", "/api/v1/nope")
    assert_error(await client.get("/assets/..%2f..%2fapp.py"), 404, "not_found")
    assert_error(await client.get("/api/nope"), 404, "not_found")
    assert_error(await client.get("/assets/index.html"), 404, "not_found")
    refused = await client.put("/api/v1/search")
    assert_error(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["allow"]


class BrokenStore(MemoryStore):
    """A store with a bug."""

    async def explain(self, query: Query, between: TimeRange) -> str:
        raise RuntimeError("secret-path/internals")


async def test_bugs_stay_in_the_log(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """A bug is a 500 with an id that finds it in the log; its text does not leave the process."""
    async with (
        make_services(store=BrokenStore(), clock=clock) as services,
        open_client(services) as client,
    ):
        with caplog.at_level("ERROR", "logstream.dashboard"):
            response = await client.get("/api/v1/explain")
    error = assert_error(response, 500, "internal")
    assert "internals" not in response.text
    assert error["request_id"] in caplog.text
    assert "secret-path/internals" in caplog.text


async def test_the_page_is_self_contained(client: httpx.AsyncClient) -> None:
    """The page names the real port, loads only its own files and has no inline code."""
    page = (await client.get("/")).text
    assert "curl http://127.0.0.1:3000/logs" in page
    assert "{{" not in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son[a-z]+=|\sstyle=", page)
    for path in re.findall(r'(?:src|href)="(/[^"]*)"', page):
        if path.startswith("/assets/"):
            assert (await client.get(path)).status_code == 200


async def test_openapi_names_every_route(client: httpx.AsyncClient, services: Services) -> None:
    """The description has each API route and method, typed answers and typed errors."""
    document = (await client.get("/api/openapi.json")).json()
    app = create_app(services)
    assert document["openapi"].startswith("3.1")
    for route in app.routes:
        assert isinstance(route, HTTPRoute)
        if not route.path.startswith(("/api/v1", "/health", "/ready", "/metrics")):
            continue
        path = re.sub(r":\w+\}", "}", route.path)
        for method in set(route.methods) - {"OPTIONS"}:
            operation = document["paths"][path][method.lower()]
            assert operation["summary"]
            answers = operation["responses"]
            content = answers["200" if "200" in answers else "201"]["content"]
            assert all(each["schema"] for each in content.values())
            error = operation["responses"]["400"]["content"]["application/json"]["schema"]
            assert error["$ref"].endswith("ErrorAnswer")
    search = document["paths"]["/api/v1/search"]["get"]
    names = {parameter["name"] for parameter in search["parameters"]}
    assert names == {
        "query", "from", "to", "limit", "cursor", "count", "truncate", "query_id",
    }  # fmt: skip


async def test_openapi_references_resolve(client: httpx.AsyncClient) -> None:
    """Every $ref in the description points at something in it, and operation ids are unique."""
    document = (await client.get("/api/openapi.json")).json()
    found: list[str] = []
    ids: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.append(node["$ref"])
            if isinstance(node.get("operationId"), str):
                ids.append(node["operationId"])
            for each in node.values():
                walk(each)
        elif isinstance(node, list):
            for each in node:
                walk(each)

    walk(document)
    assert found
    for reference in found:
        target: object = document
        for part in reference.removeprefix("#/").split("/"):
            assert isinstance(target, dict)
            target = target[part]
    assert len(set(ids)) == len(ids)
