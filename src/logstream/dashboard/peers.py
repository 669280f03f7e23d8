"""The numbers of processes that run elsewhere: their ``/metrics``, asked for now and then.

A dashboard that runs apart knows only its own process's numbers. `Settings.metrics_urls` names
ports of the others; a name with several addresses (a service of several containers) means all of
them. What a process last said is kept when it is gone, so that sums do not fall.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

from prometheus_client.parser import text_string_to_metric_families

from logstream.client import Connection, ServerUnreachable

__all__ = ["Peers"]

_TIMEOUT_S = 2.0
_MOST = 256
"""Processes that are remembered; containers that are replaced come with new addresses."""

_Sample = tuple[str, dict[str, str], float]
_log = logging.getLogger(__name__)


class Peers:
    """See the module. `refresh` blocks; it and `samples` may be called by different threads.

    Args:
        urls: As ``http://host:port``, each answering at ``/metrics`` below it.
        api_key: Sent along; empty: none.
    """

    def __init__(self, urls: Iterable[str] = (), *, api_key: str = "") -> None:
        self._urls = tuple(urlsplit(url) for url in urls)
        self._api_key = api_key
        self._said: dict[str, tuple[_Sample, ...]] = {}
        self._silent: set[str] = set()

    def samples(self) -> Iterator[_Sample]:
        """What they last said."""
        for said in tuple(self._said.values()):
            yield from said

    def refresh(self) -> None:
        """Ask all of them; one that does not answer is logged once and left as it was."""
        for url in self._urls:
            for address in _addresses(url):
                self._ask(address)
        while len(self._said) > _MOST:
            del self._said[next(iter(self._said))]

    def _ask(self, address: str) -> None:
        connection = Connection(address, api_key=self._api_key, timeout_s=_TIMEOUT_S)
        try:
            answer = connection.request("GET", "/metrics")
        except ServerUnreachable as exc:
            self._missed(address, exc.message)
            return
        finally:
            connection.close()
        if answer.status != 200:
            self._missed(address, f"{address}/metrics: {answer.error()}")
            return
        self._silent.discard(address)
        # At the end again: the first is the one that was silent for longest.
        self._said.pop(address, None)
        self._said[address] = tuple(_parsed(answer.body.decode("utf-8", "replace")))

    def _missed(self, address: str, reason: str) -> None:
        if address not in self._silent:
            _log.warning("the numbers of %s are missing: %s", address, reason)
        self._silent.add(address)


def _addresses(url: SplitResult) -> list[str]:
    """The URL for each address that its name has; a certificate needs the name itself."""
    if url.scheme == "https" or not url.hostname:
        return [url.geturl()]
    try:
        found = socket.getaddrinfo(url.hostname, url.port or 80, type=socket.SOCK_STREAM)
    except OSError:
        return [url.geturl()]
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    names = {socket.getnameinfo(address, numeric) for *_, address in found}
    places = {f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names}
    return [url._replace(netloc=place).geturl() for place in sorted(places)]


def _parsed(text: str) -> Iterator[_Sample]:
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                yield sample.name, dict(sample.labels), float(sample.value)
    except ValueError as exc:
        _log.warning("what a process says of its numbers cannot be read: %s", exc)
