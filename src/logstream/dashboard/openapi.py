"""``/api/openapi.json``: the description that clients and the front end's types are made from.

Litestar would serve it itself, and with it an HTML answer for every other path beside it; so its
own routes stay off and a second application, never served, is asked for the description.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.openapi import OpenAPIConfig

import logstream

__all__ = ["ROUTES", "description", "openapi"]

ROUTES = "logstream.routes"
"""Key of the application's arguments in its state; the document takes their place."""


def description(**application: Any) -> bytes:
    """The OpenAPI document, as JSON, of an application with these arguments."""
    described = Litestar(
        **application,
        openapi_config=OpenAPIConfig(
            title="LogStream AI",
            version=logstream.__version__,
            description="Search, count, follow and export logs. Timestamps are strings.",
        ),
    )
    return msgspec.json.encode(described.openapi_schema.to_schema())


@get("/api/openapi.json", include_in_schema=False)
async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description of all routes, in OpenAPI 3.1."""
    state = request.app.state
    if not isinstance(state[ROUTES], bytes):
        state[ROUTES] = description(**state[ROUTES])
    return Response(state[ROUTES], media_type="application/json")
