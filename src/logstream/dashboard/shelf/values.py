"""What is kept, and how much of it: values, and checks that need no file."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from typing import Literal

import msgspec

from logstream.errors import BadRequest, PayloadTooLarge

__all__ = [
    "ID_BYTES",
    "MAX_PINS",
    "MAX_SHARES",
    "MAX_SHARES_BYTES",
    "MAX_SHARE_AGE_S",
    "MAX_SHARE_BYTES",
    "MAX_VIEWS",
    "MAX_VIEW_BYTES",
    "Kind",
    "PageState",
    "View",
    "checked_name",
    "checked_search",
    "checked_state",
    "share_id",
]

MAX_VIEWS = 500
MAX_VIEW_BYTES = 16 << 10
MAX_NAME_CHARS = 100

MAX_PINS = 200
MAX_PIN_BYTES = 1_000

MAX_SHARE_BYTES = 64 << 10
MAX_SHARES = 10_000
MAX_SHARES_BYTES = 64 << 20
MAX_SHARE_AGE_S = 365 * 86_400.0

ID_BYTES = 10
"""80 bits: 16 letters and digits in base 32."""

Kind = Literal["view", "signal"]

_PATH = re.compile(r"/|(/[a-z][a-z0-9-]{0,31}){1,3}")
_NO_PAGES = ("api", "assets", "health", "metrics", "ready", "s")
# What an address bar shows of a query string: no white space, no fragment, nothing beyond ASCII.
_SEARCH = re.compile(r"[!-\"$-~]*")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view or signal.

    ``search`` is a view's part of Explore's address, without ``?``; ``query`` is a signal's filter.
    ``group`` joins signals of which any may match. ``version`` counts changes, from 1.
    """

    id: str
    kind: Kind
    name: str
    group: str = ""
    search: str = ""
    query: str = ""
    version: int = 1
    updated_ns: int = 0


class PageState(msgspec.Struct, frozen=True):
    """A place in the dashboard: a page's path, and its query string without ``?``."""

    path: str
    search: str


def checked_name(text: str, what: str = "name", *, empty: bool = False) -> str:
    """A name as it is kept: without white space around it, one line.

    Raises:
        BadRequest: nothing is left, it is too long, or holds control characters.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name and not empty:
        raise BadRequest(f"the {what} is empty", hint="give it a name that others understand")
    if len(name) > MAX_NAME_CHARS:
        raise BadRequest(f"the {what} has {len(name)} characters", hint=f"at most {MAX_NAME_CHARS}")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise BadRequest(f"the {what} holds control characters", hint="keep it on one line")
    return name


def checked_search(search: str, *, most_bytes: int) -> str:
    """A page's query string, percent-encoded, without ``?``.

    Raises:
        BadRequest: it is no query string.
        PayloadTooLarge: longer than ``most_bytes``.
    """
    if len(search) > most_bytes:
        raise PayloadTooLarge(
            f"the search has {len(search)} bytes", hint=f"at most {most_bytes} are kept"
        )
    if search.startswith("?") or not _SEARCH.fullmatch(search):
        raise BadRequest(
            "search is no query string", hint="percent-encode it, and leave out ? and #"
        )
    return search


def checked_state(path: str, search: str) -> PageState:
    """A place in this dashboard, and nowhere else.

    Raises:
        BadRequest: the path is not one that a page may have, or the search is no query string.
        PayloadTooLarge: both together are over `MAX_SHARE_BYTES`.
    """
    if not _PATH.fullmatch(path) or path.split("/")[1] in _NO_PAGES:
        raise BadRequest(
            f"{path[:100]!r} is no page of this dashboard", hint="give a path such as /explore"
        )
    return PageState(path, checked_search(search, most_bytes=MAX_SHARE_BYTES - len(path)))


def share_id(state: PageState) -> str:
    """The short name of a place: the same for the same place, everywhere."""
    digest = hashlib.blake2b(f"{state.path}?{state.search}".encode(), digest_size=ID_BYTES)
    return base64.b32encode(digest.digest()).decode().lower()
