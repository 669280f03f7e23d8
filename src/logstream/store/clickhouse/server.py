"""Connections to ClickHouse servers over HTTP.

A server keeps no session of ours: every statement names its database and carries its settings, so
that a load balancer may send each one anywhere.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.compression import available_compression
from clickhouse_connect.driver.exceptions import ClickHouseError

from logstream.store.clickhouse.driver import OpenClient
from logstream.store.clickhouse.url import Host, ServerUrl

__all__ = ["server_client"]

# What it has to say is in the errors it raises, which are told where they are dealt with.
for _name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.ERROR)


def server_client(url: ServerUrl) -> OpenClient:
    """How to connect to the servers of a URL.

    Each call asks the server that answered last, then the others in turn. The first is chosen at
    random, so that many processes with the same URL spread over the servers.

    The returned function raises the last server's `ClickHouseError` when none answers.
    """
    options: dict[str, Any] = {
        "username": url.username,
        "password": url.password,
        "interface": "https" if url.secure else "http",
        "compress": url.compression if url.compression in available_compression else False,
        "query_retries": 0,
        "connect_timeout": int(url.connect_timeout_s),
        "send_receive_timeout": int(url.timeout_s),
        "client_name": "logstream",
        "autogenerate_session_id": False,
        # One pool a connection: closing it closes the socket.
        "dedicated_pool": True,
    }
    if url.secure:
        options |= {
            "verify": url.verify,
            "ca_cert": url.ca_cert or None,
            "client_cert": url.client_cert or None,
            "client_cert_key": url.client_cert_key or None,
        }

    def connect(host: Host) -> Client:
        client = clickhouse_connect.get_client(host=host.name, port=host.port, **options)
        client.write_compression = None if url.compression == "none" else url.compression
        return client

    return _first_that_answers(connect, url.hosts)


def _first_that_answers(connect: Callable[[Host], Client], hosts: Sequence[Host]) -> OpenClient:
    first = random.randrange(len(hosts))  # noqa: S311 - spreads load, guards nothing

    def open_client() -> Client:
        nonlocal first
        start = first
        for step in range(len(hosts)):
            number = (start + step) % len(hosts)
            try:
                client = connect(hosts[number])
            except ClickHouseError as exc:
                # One that answers does not want us, and no other one would.
                if getattr(exc, "code", None) is not None or step == len(hosts) - 1:
                    raise
            else:
                first = number
                return client
        raise AssertionError("a URL has at least one host")

    return open_client
