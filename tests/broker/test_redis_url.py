"""Redis URLs: what they mean, and that no password is ever shown; TLS against a real server."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from redis import exceptions as errors

from logstream.broker import open_broker
from logstream.broker.redis.trouble import understood
from logstream.broker.redis.url import parse, redact
from logstream.errors import BrokerUnavailable, SettingError
from logstream.settings import show
from logstream.testing.broker_contract import message, read_all
from tests.broker.redis_support import redis_broker
from tests.servers.redis import RedisServer, free_ports, redis_program


@pytest.mark.parametrize(
    ("url", "driver", "hosts"),
    [
        ("redis://h", "redis://h", (("h", 6379),)),
        ("rediss://u:p@h:1/2?a=b", "rediss://u:p@h:1/2?a=b", (("h", 1),)),
        ("redis+cluster://u:p@a:1,b", "redis://u:p@a:1", (("a", 1), ("b", 6379))),
        ("rediss+cluster://[::1]:7/0", "rediss://[::1]:7", (("::1", 7),)),
    ],
)
def test_urls(url: str, driver: str, hosts: tuple[tuple[str, int], ...]) -> None:
    """One server or the nodes of a cluster, with the port that Redis has if none is given."""
    target = parse(url)
    assert (target.url, target.hosts, target.cluster) == (driver, hosts, "+cluster" in url)


@pytest.mark.parametrize(
    "url",
    ["redis:///0", "redis://a,b", "redis://h:port", "redis+cluster://a/3", "redis+cluster://a,,b"],
)
def test_urls_that_cannot_be(url: str) -> None:
    """A URL that names no server, or too many, is refused at the start."""
    with pytest.raises(SettingError):
        parse(url)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+cluster"])
def test_passwords_are_not_shown(scheme: str) -> None:
    """Not in messages, not among the settings, not when the scheme is misspelt."""
    url = f"{scheme}://user:pass/w:0rd@host:1/0?password=pass"
    for shown in (
        redact(f"{scheme}://user:s3cret@host:1/0?password=s3cret"),
        redact("redis://:s3cret@h"),
        redact("redis://user:a/s3cret@h/0"),
        redact("redis://user:a?s3cret@h/0"),
        redact("redis://h/0?password=s3cret@s3cret"),
    ):
        assert "s3cret" not in shown
        assert "***" in shown
    assert "s3cret" not in show("broker", f"{scheme}://user:s3cret@host:1/0")
    with pytest.raises(SettingError) as refusal:
        open_broker(
            url.replace("redis", "rodis"),
            capacity_bytes=1,
            segment_bytes=1,
            dedup_window_s=1,
            dead_letter_bytes=1,
        )
    assert "pass" not in refusal.value.message


def _make_certificate(key: Path, certificate: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip


async def test_tls(tmp_path: Path) -> None:
    """rediss:// talks TLS, and only to a server whose certificate it can verify."""
    if redis_program() is None or shutil.which("openssl") is None:
        pytest.skip("there is no redis-server, or no openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    _make_certificate(key, certificate)
    (port,) = free_ports(1)
    server = RedisServer(
        ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
         "--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no")
    )  # fmt: skip
    try:
        server.start()
        url = f"rediss://127.0.0.1:{port}/0"
        async with (
            redis_broker(f"{url}?ssl_ca_certs={certificate}") as broker,
            await broker.producer() as producer,
            await broker.consumer() as consumer,
        ):
            await producer.append(message(1))
            assert [e.message for e in await read_all(consumer, 1)] == [message(1)]
        async with redis_broker(url) as broker:
            with pytest.raises(BrokerUnavailable, match="certificate"):
                await broker.producer()
    finally:
        server.close()


async def test_more_shards_while_running(redis_server: RedisServer) -> None:
    """A producer with a larger redis_shards adds streams, which those already at work read."""
    async with (
        redis_broker(redis_server.url, prefix="more", shards=1, lease_s=0.2) as few,
        redis_broker(redis_server.url, prefix="more", shards=3) as many,
        await few.consumer() as consumer,
        await few.follower() as follower,
    ):
        producers = [await many.producer() for _ in range(3)]
        for n, producer in enumerate(producers):
            await producer.append(message(n))
        assert len(await read_all(consumer, 3)) == 3
        seen = 0
        while seen < 3:
            seen += len(await follower.read(max_bytes=1000, wait_s=5.0))
        for producer in producers:
            await producer.close()


def test_what_no_waiting_mends_is_marked() -> None:
    """A login or certificate that is refused is for good; a server that is away is not."""
    mistrusted = errors.ConnectionError("no")
    mistrusted.__cause__ = ssl.SSLCertVerificationError("self-signed")
    cut = errors.ConnectionError("no")
    cut.__cause__ = ssl.SSLEOFError("cut")
    lasting = {
        error: getattr(understood("redis://h", error), "lasting", None)
        for error in (
            errors.AuthenticationError("no"), errors.NoPermissionError("no"), mistrusted,
            errors.ConnectionError("refused"), errors.BusyLoadingError("loading"), cut,
        )
    }  # fmt: skip
    assert list(lasting.values()) == [True, True, True, False, False, False]
