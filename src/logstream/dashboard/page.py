"""``/``: a small page that says what runs here, and its files under ``/assets``."""

from __future__ import annotations

import html
from functools import cache
from importlib.resources import files
from typing import Annotated

from litestar import Response, get
from litestar.params import PathParameter

import logstream
from logstream.dashboard.params import ServicesDependency
from logstream.errors import NotFound

__all__ = ["asset", "page"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PAGE = "index.html"

AssetName = Annotated[str, PathParameter(description="A file's name.")]


@cache
def _files() -> dict[str, bytes]:
    # Read once by the names that are there: no path is ever made of what a request says.
    folder = files("logstream.dashboard") / "assets"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


@get("/", include_in_schema=False)
async def page(services: ServicesDependency) -> Response[str]:
    """The page, with the address at which this installation takes logs."""
    settings = services.settings
    host = settings.ingest_host
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 (not bound here, only shown)
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    text = _files()[_PAGE].decode()
    for name, value in {
        "{{ingest}}": f"http://{host}:{settings.ingest_port}",
        "{{version}}": logstream.__version__,
        "{{key}}": ' -H "X-API-Key: $LOGSTREAM_API_KEY"' if settings.api_keys else "",
    }.items():
        text = text.replace(name, html.escape(value))
    return Response(text, media_type="text/html; charset=utf-8", headers=_headers("no-cache"))


@get("/assets/{name:str}", include_in_schema=False)
async def asset(name: AssetName) -> Response[bytes]:
    """One of the page's files."""
    content = _files().get(name)
    media_type = _TYPES.get(name[name.rfind(".") :])
    if content is None or media_type is None:
        raise NotFound(f"there is no file {name[:100]!r} here")
    return Response(content, media_type=media_type, headers=_headers("max-age=300"))


def _headers(cache_control: str) -> dict[str, str]:
    return {"cache-control": cache_control}
