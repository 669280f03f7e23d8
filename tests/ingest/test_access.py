"""Routes, methods, access keys, and where the API may listen."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from logstream.access import check_exposure, is_loopback
from logstream.errors import SettingError
from logstream.ingest.server import open_socket
from logstream.settings import Settings
from tests.ingest.harness import Service, Start

ROUTES = [
    ("POST", "/logs"),
    ("GET", "/ready"),
    ("GET", "/metrics"),
    ("GET", "/health"),
    ("GET", "/no"),
]
GIVEN: list[tuple[dict[str, str], bool]] = [
    ({}, False),
    ({"authorization": "Bearer good"}, True),
    ({"authorization": "bearer  good"}, True),
    ({"x-api-key": "other"}, True),
    ({"authorization": "Bearer bad"}, False),
    ({"authorization": "Bearer "}, False),
    ({"authorization": "Basic good"}, False),
    ({"authorization": "good"}, False),
    ({"x-api-key": "goo"}, False),
    ({"x-api-key": "good,other"}, False),
]


async def test_every_route_but_health_asks_for_a_key(start: Start) -> None:
    """With keys set, each route with each kind of credential answers 401 or does its work."""
    async with start(api_keys=("good", "other")) as service:
        for (method, path), (headers, good) in itertools.product(ROUTES, GIVEN):
            body = '{"message":"m"}' if method == "POST" else None
            answer = await service.request(method, path, body, headers)
            if good or path == "/health":
                assert answer.status in (200, 202, 404), (path, headers)
            else:
                assert (answer.status, answer.error["code"]) == (401, "unauthorized")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert len(await service.records()) == sum(good for _, good in GIVEN)


async def test_without_keys_the_port_is_open(service: Service) -> None:
    """No key is asked for, and one that is sent all the same does no harm."""
    assert (await service.post('{"m":1}', x_api_key="any")).status == 202


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/logs", "POST"), ("HEAD", "/logs", "POST"), ("PUT", "/logs", "POST"),
     ("POST", "/health", "GET, HEAD"), ("DELETE", "/metrics", "GET, HEAD")],
)  # fmt: skip
async def test_a_wrong_method_is_405(service: Service, method: str, path: str, allow: str) -> None:
    """The answer names the methods that the path takes."""
    answer = await service.request(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allow)
    if method != "HEAD":
        assert answer.error["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/", "/log", "/logs/", "/logs/%2e%2e", "/..%2fetc", "/health/x"])
async def test_an_unknown_path_is_404(service: Service, path: str) -> None:
    """With the one error shape and where records go."""
    answer = await service.request("GET", path)
    assert (answer.status, answer.error["hint"]) == (404, "send records to POST /logs")


async def test_health_says_what_an_acknowledgement_rests_on(service: Service) -> None:
    """It is alive, how full the broker is, and its durability in words."""
    health = (await service.request("GET", "/health")).json
    assert health["status"] == "ok"
    assert health["broker"]["durability"]
    assert health["broker"]["capacity_bytes"] > 0


async def test_metrics_count_what_happened(service: Service) -> None:
    """Requests by status and refused records by reason are in the Prometheus text."""
    await service.post('{"m":1}\n{broken')
    text = (await service.request("GET", "/metrics")).body.decode()
    assert 'logstream_ingest_requests_total{status="202"}' in text
    assert 'logstream_records_rejected_total{reason="bad_json"}' in text


async def test_stopping_answers_what_is_in_work(service: Service) -> None:
    """After the stop a request in work is answered, and no new connection is taken."""
    await service.messages()
    waiting = asyncio.create_task(service.post('{"message":"last"}', "/logs?ack=stored"))
    async with asyncio.timeout(10):
        while not await service.messages():  # noqa: ASYNC110 - what happens is in the broker
            await asyncio.sleep(0.01)
    service.stop.set()
    assert (await waiting).status == 202
    async with asyncio.timeout(10):
        while await _is_open(service.port):  # noqa: ASYNC110 - what happens is in the server
            await asyncio.sleep(0.01)


async def test_a_load_balancer_has_time_to_look_away(start: Start) -> None:
    """While the stop is announced, /ready says no and everything that comes is taken."""
    async with start(drain_delay_s=0.5) as service:
        assert (await service.request("GET", "/ready")).status == 200
        service.stop.set()
        async with asyncio.timeout(10):
            while (await service.request("GET", "/ready")).status == 200:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.01)
        assert (await service.post('{"message":"late"}')).status == 202
        assert await service.messages() == ["late"]


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.168.1.1", False), ("logs.example", False),
     ("", False)],
)  # fmt: skip
def test_only_loopback_is_open_by_default(host: str, local: bool) -> None:
    """Anything that others can reach needs access keys or the word --insecure."""
    assert is_loopback(host) == local
    for settings, allowed in (
        (Settings(), local),
        (Settings(api_keys=("k",)), True),
        (Settings(insecure=True), True),
    ):
        if allowed:
            check_exposure(settings, host=host, setting="ingest_host")
        else:
            with pytest.raises(SettingError, match="ingest_host"):
                check_exposure(settings, host=host, setting="ingest_host")


def test_a_port_in_use_is_a_clear_error() -> None:
    """A second platform on the same port does not start, and says what to do."""
    with open_socket(Settings(ingest_port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"cannot listen on 127.0.0.1:{port}"):
            open_socket(Settings(ingest_port=port))


def test_an_exposed_port_is_not_opened() -> None:
    """The refusal comes before the socket."""
    with pytest.raises(SettingError, match="no access keys"):
        open_socket(Settings(ingest_host="0.0.0.0", ingest_port=0))
