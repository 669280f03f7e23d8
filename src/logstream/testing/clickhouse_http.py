"""ClickHouse's HTTP interface in front of chDB: the real engine, as a server of its own process.

For tests where no ClickHouse server can be installed. It speaks what HTTP clients of ClickHouse
use: ``/ping``; statements in the ``query`` parameter, the body, or a form; settings, bound
parameters (``param_NAME``) and the database as parameters; data of inserts in the body; results
in any format; compression; the summary, query id and exception headers; users by HTTP Basic or
headers; TLS. Statements run concurrently, each on a connection of its own.

What it is not: there is one node and no Keeper. With ``--cluster NAME`` the engine knows a cluster
of one shard, so Distributed tables are real; ``ON CLUSTER`` is left out of statements, and
``ReplicatedMergeTree`` becomes ``MergeTree``. No sessions, no progress headers; a query id is
answered, but the engine has one of its own.

Run as ``python -m logstream.testing.clickhouse_http FOLDER``; it prints the port it listens on and
ends when its standard input does. `clickhouse_server` does that.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import signal
import ssl
import sys
import threading
import uuid
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import msgspec
import pyarrow as pa

__all__ = ["main"]

_RESERVED = frozenset({
    "query", "query_id", "database", "default_format", "user", "password", "quota_key", "role",
    "session_id", "session_timeout", "session_check", "wait_end_of_query", "buffer_size",
    "compress", "decompress", "stacktrace", "client_protocol_version", "enable_http_compression",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms",
})  # fmt: skip
# Two packages bring a ``chdb``, one typed and one not; which is there, the installer decides.
_engine: Any = chdb
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_INSERT_HEAD = re.compile(
    rb"\s*INSERT\s+INTO\s+[^;]*?\bFORMAT\s+\w+[ \t]*\r?\n", re.IGNORECASE | re.DOTALL
)
_INSERT = re.compile(r"\s*INSERT\s+INTO\b", re.IGNORECASE)
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ON_CLUSTER = re.compile(r"\s+ON\s+CLUSTER\s+'[^']*'")
_REPLICATED = re.compile(r"\bReplicatedMergeTree\('[^']*', '[^']*'\)")
_CODE = re.compile(r"Code: (\d+)")
_STATUSES: Mapping[int, int] = {
    194: 401, 192: 403, 193: 403, 516: 403,
    6: 400, 26: 400, 27: 400, 36: 400, 38: 400, 41: 400, 42: 400, 43: 400, 53: 400, 62: 400,
    46: 404, 47: 404, 60: 404, 81: 404, 159: 408, 131: 413, 48: 501,
}  # fmt: skip
_CODINGS = frozenset({"gzip", "lz4", "zstd"})
_CONFIG = """<clickhouse>
<tcp_port>9000</tcp_port>
<remote_servers><{name}><shard><internal_replication>true</internal_replication>
<replica><host>localhost</host><port>9000</port></replica></shard></{name}></remote_servers>
<macros><cluster>{name}</cluster><shard>01</shard><replica>replica-01</replica></macros>
</clickhouse>
"""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is started with."""

    folder: Path
    port: int
    user: str
    password: str
    cluster: str
    certificate: str


class Refused(Exception):
    """A statement failed: ClickHouse's code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One request, understood."""

    sql: str
    data: bytes | None
    database: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    query_id: str
    default_format: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement answers."""

    body: bytes
    format: str
    summary: Mapping[str, str]


class Engine:
    """chDB on one folder. It lives as long as one connection is open: the one kept here."""

    def __init__(self, options: Options) -> None:
        self._path = str(options.folder / "data")
        if options.cluster:
            config = options.folder / "config.xml"
            config.write_text(_CONFIG.format(name=options.cluster))
            self._path += f"?config-file={config}"
        self._alive = _engine.connect(self._path)

    def run(self, statement: Statement) -> Result:
        """Run on a connection of its own, so that nothing of one statement reaches another.

        Raises:
            Refused: the engine does not do it.
        """
        connection = _engine.connect(self._path)
        try:
            return _run(connection, statement)
        except RuntimeError as exc:
            raise _refused(str(exc)) from exc
        finally:
            connection.close()


def _run(connection: Any, statement: Statement) -> Result:
    if statement.database:
        connection.query(f"USE `{statement.database.replace('`', '')}`", "TabSeparated")
    if statement.settings:
        pairs = (f"{name} = {_quoted(value)}" for name, value in statement.settings.items())
        connection.query(f"SET {', '.join(pairs)}", "TabSeparated")
    sql = _for_one_node(statement.sql)
    if statement.data is not None:
        return _insert(connection, sql, statement.data)
    found = _FORMAT.search(sql)
    shape = found[1] if found else statement.default_format
    answer = connection.query(sql, shape, params=dict(statement.parameters))
    return _result(answer, shape, "read_rows")


def _insert(connection: Any, sql: str, data: bytes) -> Result:
    fd = os.memfd_create("insert")
    try:
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(data)
        source = f" FROM INFILE '/proc/self/fd/{fd}' "
        at = re.search(r"\bSETTINGS\b|\bFORMAT\s+\w+\s*;?\s*$", sql, re.IGNORECASE)
        assert at is not None, "data comes with a FORMAT"
        answer = connection.query(sql[: at.start()] + source + sql[at.start() :], "TabSeparated")
        return _result(answer, "", "written_rows")
    finally:
        os.close(fd)


def _result(answer: Any, shape: str, counted: str) -> Result:
    rows = answer.storage_rows_read() if counted == "read_rows" else answer.rows_read()
    elapsed_ns = int(answer.elapsed() * 1e9)
    summary = {"read_rows": "0", "written_rows": "0", counted: str(rows)}
    return Result(
        body=answer.bytes() or b"",
        format=shape,
        summary={**summary, "elapsed_ns": str(elapsed_ns)},
    )


def _for_one_node(sql: str) -> str:
    if not re.match(r"\s*(CREATE|ALTER|DROP)\b", sql, re.IGNORECASE):
        return sql
    return _REPLICATED.sub("MergeTree", _ON_CLUSTER.sub("", sql, count=1), count=1)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _refused(message: str) -> Refused:
    found = _CODE.search(message)
    at = message.find("Code: ")
    return Refused(int(found[1]) if found else 1002, message[max(at, 0) :])


class Handler(BaseHTTPRequestHandler):
    """One connection. ``engine`` and ``options`` are set on a subclass."""

    engine: Engine
    options: Options
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n", {})
        else:
            self._statement()

    def do_POST(self) -> None:
        self._statement()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _statement(self) -> None:
        query_id = str(uuid.uuid4())
        try:
            statement = self._read(query_id)
            query_id = statement.query_id
            result = self.engine.run(statement)
        except Refused as exc:
            code = str(exc.code)
            headers = {"X-ClickHouse-Exception-Code": code, "X-ClickHouse-Query-Id": query_id}
            self._answer(_STATUSES.get(exc.code, 500), f"{exc}\n".encode(), headers)
            return
        headers = {
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Summary": json.dumps(result.summary),
        }
        if result.format:
            headers["X-ClickHouse-Format"] = result.format
        body, coding = _encoded(result.body, self.headers.get("Accept-Encoding", ""))
        if coding:
            headers["Content-Encoding"] = coding
        self._answer(200, body, headers)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _read(self, query_id: str) -> Statement:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = _decoded(self._body(), self.headers.get("Content-Encoding", ""))
        self._authenticate(given)
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            given |= _form(body, kind)
            body = b""
        sql, data = _split(given.get("query", ""), body)
        settings = {
            name: value
            for name, value in given.items()
            if name not in _RESERVED and not name.startswith("param_")
        }
        for name in settings:
            if not _SETTING.fullmatch(name):
                raise Refused(115, f"Code: 115. DB::Exception: Unknown setting {name!r}")
        return Statement(
            sql=sql,
            data=data,
            database=given.get("database", self.headers.get("X-ClickHouse-Database", "")),
            parameters={
                name.removeprefix("param_"): value
                for name, value in given.items()
                if name.startswith("param_")
            },
            settings=settings,
            query_id=given.get("query_id") or query_id,
            default_format=given.get("default_format", "TabSeparated"),
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionResetError("the request ended early")
            return body
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _authenticate(self, given: Mapping[str, str]) -> None:
        user = self.headers.get("X-ClickHouse-User", given.get("user", "default"))
        password = self.headers.get("X-ClickHouse-Key", given.get("password", ""))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            user, _, password = base64.b64decode(token).decode().partition(":")
        if (user, password) != (self.options.user, self.options.password):
            raise Refused(
                516,
                f"Code: 516. DB::Exception: {user}: Authentication failed: password is "
                "incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)",
            )


def _split(query: str, body: bytes) -> tuple[str, bytes | None]:
    """The statement, and the data of an insert."""
    if _INSERT.match(query) and _FORMAT.search(query):
        return query, body
    head = _INSERT_HEAD.match(body) if not query else None
    if head is not None:
        return head[0].decode(), body[head.end() :]
    return f"{query}\n{body.decode()}" if query else body.decode(), None


def _form(body: bytes, kind: str) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
    )
    fields = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            fields[name] = payload.decode()
    return fields


def _decoded(body: bytes, coding: str) -> bytes:
    if not coding:
        return body
    if coding not in _CODINGS:
        raise Refused(89, f"Code: 89. DB::Exception: Unknown compression method {coding}")
    with pa.CompressedInputStream(pa.BufferReader(body), coding) as stream:
        data: bytes = stream.read()
    return data


def _encoded(body: bytes, accepted: str) -> tuple[bytes, str]:
    asked = [each.strip() for each in accepted.split(",")]
    coding = next((each for each in asked if each in _CODINGS), "")
    if not coding:
        return body, ""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, coding) as stream:
        stream.write(body)
    return sink.getvalue().to_pybytes(), coding


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Beyond this many that wait to be accepted the kernel drops connections: seconds are lost.
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients are killed on purpose here: that one is gone is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until standard input ends or SIGTERM."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    handler = type("Bound", (Handler,), {"engine": Engine(options), "options": options})
    server = _Server(("127.0.0.1", options.port), handler)
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    threading.Thread(target=_end_with_input, daemon=True).start()
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


def _end_with_input() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


def _options() -> Options:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default=os.environ.get("CLICKHOUSE_TEST_PASSWORD", ""))
    parser.add_argument("--cluster", default="")
    parser.add_argument("--certificate", default="", help="PEM file with certificate and key")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
