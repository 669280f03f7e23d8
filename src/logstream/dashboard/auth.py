"""Who may ask: access keys, host names, and pages of other sites.

Pure functions of a request's headers; `shell` calls them before anything else sees a request.

* With access keys set, every route but ``/health`` wants one: ``Authorization: Bearer KEY``,
  ``X-API-Key: KEY``, or HTTP Basic with the key as password (what a browser can do by itself).
* Without keys only loopback is served, so a request under any other host name comes from a page
  that had its name pointed here (DNS rebinding) and is refused.
* A request that changes something is refused when a page of another site made it: browsers add
  what they know (cached Basic credentials, loopback reachability) to such requests.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from logstream.access import AccessKeys, bearer, is_loopback
from logstream.errors import Forbidden
from logstream.settings import Settings

__all__ = ["OPEN_PATHS", "Gate", "host_of", "key_in"]

OPEN_PATHS = frozenset({"/health"})
"""What is answered without a key."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Decides about one request at a time; made once from the settings."""

    def __init__(self, settings: Settings) -> None:
        self._keys = AccessKeys(settings.api_keys)
        self._known_host = settings.dashboard_host.lower()
        self._any_host = bool(settings.api_keys) or settings.insecure

    def check(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Let the request pass or not. Header names are lower-case.

        Raises:
            Forbidden: a strange host name, or a page of another site.
            Unauthorized: no key, or a wrong one.
        """
        self._check_host(headers.get("host", ""))
        if method not in _SAFE_METHODS:
            _check_origin(headers)
        if path not in OPEN_PATHS:
            self._keys.check(key_in(headers))

    def _check_host(self, host: str) -> None:
        name = host_of(host)
        if self._any_host or name == self._known_host or is_loopback(name):
            return
        raise Forbidden(
            f"this dashboard is not served as {name[:100]!r}",
            hint="open it as localhost, or set LOGSTREAM_API_KEYS to serve it under other names",
        )


def key_in(headers: Mapping[str, str]) -> str:
    """The access key that the request names, right or wrong; ``""``: none."""
    authorization = headers.get("authorization", "").strip()
    if authorization[:6].lower() != "basic ":
        return bearer(authorization, headers.get("x-api-key"))
    try:
        decoded = base64.b64decode(authorization[6:].strip(), validate=True).decode()
    except ValueError:  # no base64, or no text in it
        return ""
    return decoded.partition(":")[2]


def _check_origin(headers: Mapping[str, str]) -> None:
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        foreign = True
    elif origin is None:
        foreign = False  # not a browser: every browser names the origin of such requests
    else:
        foreign = origin.lower().partition("://")[2] != headers.get("host", "").lower()
    if foreign:
        raise Forbidden(
            "a page of another site may not change anything here",
            hint="make the request from the dashboard itself, or from a program",
        )


def host_of(header: str) -> str:
    """The name or address in a Host header, without port and brackets, in lower case."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text
