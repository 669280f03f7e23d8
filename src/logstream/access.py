"""Who may talk to a port: access keys, and the refusal to listen in the open without any."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable

from logstream.errors import SettingError, Unauthorized
from logstream.settings import Settings

__all__ = ["AccessKeys", "bearer", "check_exposure", "is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings, *, host: str, setting: str) -> None:
    """Refuse to listen beyond loopback without access keys.

    Args:
        settings: Says which keys there are, and whether that was waived.
        host: Where the port is to listen.
        setting: Public name of the setting that ``host`` came from.

    Raises:
        SettingError: anybody on the network could read or write logs.
    """
    if settings.api_keys or settings.insecure or is_loopback(host):
        return
    raise SettingError(
        f"{setting} is {host}, which others can reach, and there are no access keys",
        hint="set LOGSTREAM_API_KEYS, or listen on 127.0.0.1, or give --insecure",
    )


class AccessKeys:
    """The keys that open a port; none means that it is open.

    Only hashes are kept and compared, each in constant time and all of them every time.
    """

    __slots__ = ("_hashes",)

    def __init__(self, keys: Iterable[str]) -> None:
        self._hashes = tuple(_hash(key) for key in keys)

    @property
    def open(self) -> bool:
        """Whether no key is asked for."""
        return not self._hashes

    def check(self, key: str) -> bytes:
        """The hash of the key that was given (empty on an open port).

        Raises:
            Unauthorized: ``key`` is empty, or not one of these.
        """
        if not self._hashes:
            return b""
        if not key:
            raise Unauthorized(
                "an access key is needed",
                hint="send Authorization: Bearer KEY or X-API-Key: KEY; "
                "in a browser give the key as the password",
            )
        given = _hash(key)
        if sum(hmac.compare_digest(given, known) for known in self._hashes) == 0:
            raise Unauthorized("this access key is not known")
        return given


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def bearer(authorization: str | None, x_api_key: str | None) -> str:
    """The key in a request's headers: ``Authorization: Bearer KEY``, else ``X-API-Key``."""
    scheme, _, key = (authorization or "").strip().partition(" ")
    return (key if scheme.lower() == "bearer" else x_api_key or "").strip()
