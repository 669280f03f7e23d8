"""The dashboard's pages as they were built: read once, then served from memory.

`Pages` answers for the files and for every address that only the pages know; whatever else is
asked goes on to the API. A request's path is only ever looked up in the table of what was read,
so none is ever made into a file's name.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

__all__ = ["Pages", "Site", "built", "read_site"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# In the order of preference, with the ending that the build gives such a file.
_CODINGS = {"br": ".br", "gzip": ".gz"}

_INDEX = "index.html"
_BASE = b'<base href="/" />'

# Names under it hold a hash of their content, so that the content never changes.
_HASHED = "assets/"
_FOREVER = "max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

# What is never a page, even when a browser's address bar asks for it.
_NOT_PAGES = re.compile(r"/(api|assets|health|metrics|ready)(/.*)?", re.DOTALL)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent, and the tag a browser names it by when it asks again."""

    body: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class File:
    """One file; ``coded`` has it compressed, by content coding in order of preference."""

    plain: Content
    media_type: str
    cache_control: str
    coded: Mapping[str, Content] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """All files of the build by their names (``assets/index-1a2b.js``), and the page they serve."""

    files: Mapping[str, File]
    index: bytes


def built() -> Site | None:
    """What the front end's build left in this package; ``None``: it was not built."""
    folder = files("logstream.dashboard") / "web"
    return read_site(folder) if (folder / _INDEX).is_file() else None


def read_site(folder: Traversable) -> Site:
    """The site in a folder. Files of a type that browsers are not given are left out."""
    contents = {name: _content(body) for name, body in _walk(folder, "")}
    found = {
        name: File(
            content,
            media_type,
            _FOREVER if name.startswith(_HASHED) else _ASK_AGAIN,
            {
                coding: contents[name + ending]
                for coding, ending in _CODINGS.items()
                if name + ending in contents
            },
        )
        for name, content in contents.items()
        if (media_type := _TYPES.get(name[name.rfind(".") :])) and name != _INDEX
    }
    return Site(found, contents[_INDEX].body)


def _content(body: bytes) -> Content:
    return Content(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()


class Pages:
    """ASGI in front of the API: the site's files and pages here, everything else to ``app``."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] in ("GET", "HEAD"):
            headers = _headers(scope)
            found = self._find(scope, headers)
            if found is not None:
                await _send(found, headers, send, head=scope["method"] == "HEAD")
                return
        await self._app(scope, receive, send)

    def _find(self, scope: HTTPScope, headers: Mapping[str, str]) -> File | None:
        path = scope["path"]
        if file := self._site.files.get(path.removeprefix("/")):
            return file
        if path != "/" and (_NOT_PAGES.fullmatch(path) or "text/html" not in _accepted(headers)):
            return None
        # The pages read the rest of the address themselves.
        page = self._site.index.replace(_BASE, _base(_prefix(scope, headers)), 1)
        return File(_content(page), _TYPES[".html"], _ASK_AGAIN)


def _headers(scope: HTTPScope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _accepted(headers: Mapping[str, str]) -> set[str]:
    return {each.partition(";")[0].strip().lower() for each in headers.get("accept", "").split(",")}


def _prefix(scope: HTTPScope, headers: Mapping[str, str]) -> str:
    """Where a proxy shows this server, ``/logs`` say: as the server knows it, or the proxy says."""
    given = scope.get("root_path") or headers.get("x-forwarded-prefix", "")
    prefix = given.rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else ""


def _base(prefix: str) -> bytes:
    return f'<base href="{html.escape(prefix)}/" />'.encode()


async def _send(file: File, asked: Mapping[str, str], send: Send, *, head: bool) -> None:
    coding = _coding(file, asked.get("accept-encoding", ""))
    content = file.coded.get(coding, file.plain)
    headers = {"cache-control": file.cache_control, "etag": content.tag}
    if file.coded:
        headers["vary"] = "accept-encoding"
    if _has(asked.get("if-none-match", ""), content.tag):
        await _answer(304, headers, b"", send)
        return
    headers["content-type"] = file.media_type
    headers["content-length"] = str(len(content.body))
    if coding:
        headers["content-encoding"] = coding
    await _answer(200, headers, b"" if head else content.body, send)


async def _answer(status: int, headers: Mapping[str, str], body: bytes, send: Send) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    start: Message = {"type": "http.response.start", "status": status, "headers": pairs}
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _coding(file: File, accept: str) -> str:
    """The best content coding that there is and that the client takes; ``""``: as it is."""
    taken = {}
    for each in accept.split(","):
        name, _, weight = each.replace(" ", "").lower().partition(";q=")
        taken[name] = not re.fullmatch(r"0(\.0*)?", weight)
    every = taken.get("*", False)
    return next((coding for coding in file.coded if taken.get(coding, every)), "")


def _has(if_none_match: str, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in tags or "*" in tags
