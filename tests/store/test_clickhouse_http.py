"""The ClickHouse server for tests keeps to ClickHouse's protocol, as its own client speaks it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from logstream.testing.clickhouse_server import ClickHouseServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A server, running for the whole module."""
    server = ClickHouseServer(tmp_path_factory.mktemp("clickhouse"), user="ann", password="pw")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=[False, "gzip", "lz4", "zstd"])
def client(server: ClickHouseServer, request: pytest.FixtureRequest) -> Iterator[Client]:
    """ClickHouse's own client, with and without compression."""
    client = _client(server, compress=request.param)
    client.command("DROP TABLE IF EXISTS default_test")
    yield client
    client.close()


def _client(server: ClickHouseServer, **options: Any) -> Client:
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username="ann", password="pw", **options
    )


def test_native_rows_go_in_and_come_out(client: Client) -> None:
    """Inserts with data in the body, results in Native format, any text."""
    client.command("CREATE DATABASE IF NOT EXISTS t ENGINE = Atomic")
    client.command("CREATE OR REPLACE TABLE t.x (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
    rows = [(number, f"text '\\ \n {number}") for number in range(500)]
    client.insert("t.x", rows, column_names=["a", "b"])
    found = client.query("SELECT a, b FROM t.x WHERE a < {n:UInt64} ORDER BY a", {"n": 300})
    assert found.result_rows == rows[:300]
    assert int(found.summary["read_rows"]) == 500
    assert client.query_arrow("SELECT max(a) AS m FROM t.x")["m"].to_pylist() == [499]


def test_parameters_in_a_form(server: ClickHouseServer) -> None:
    """What is too long for a URL comes as a form."""
    client = _client(server, form_encode_query_params=True)
    long = "ä'\\\n" * 20_000
    assert client.query("SELECT {t:String} AS t", {"t": long}).result_rows == [(long,)]
    client.close()


def test_settings_last_for_one_statement(server: ClickHouseServer) -> None:
    """A setting of one request is not one of the next."""
    client = _client(server)
    ask = "SELECT value FROM system.settings WHERE name = 'max_threads'"
    assert client.query(ask, settings={"max_threads": 3}).result_rows == [("3",)]
    assert client.query(ask).result_rows != [("3",)]
    client.close()


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT (", 62, 400),
        ("SELECT * FROM nowhere.nothing", 81, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1 SETTINGS no_such_setting = 1", 115, 500),
    ],
)
def test_errors(server: ClickHouseServer, sql: str, code: int, status: int) -> None:
    """A failed statement has ClickHouse's code, and a status to match."""
    client = _client(server)
    with pytest.raises(DatabaseError) as caught:
        client.query(sql)
    assert caught.value.code == code
    client.close()
    answer = _post(server, sql.encode(), user="ann", password="pw")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))


def test_who_may_come_in(server: ClickHouseServer) -> None:
    """Without the password nobody is served, but for /ping."""
    assert _post(server, b"SELECT 1", user="ann", password="pw").status == 200
    assert _post(server, b"SELECT 1", user="ann", password="no").status == 403
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/ping")
    assert connection.getresponse().read() == b"Ok.\n"
    connection.close()


def _post(
    server: ClickHouseServer, body: bytes, *, user: str, password: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    connection.request("POST", "/", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """When the test's process is gone, so is the server."""
    server = ClickHouseServer(tmp_path)
    server.start()
    process = server._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0
    server.stop()
