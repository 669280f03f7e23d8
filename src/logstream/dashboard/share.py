"""``/api/v1/share``: short links to places whose address is too long to be passed on."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody, PathParameter

from logstream import metrics
from logstream.dashboard.errors import CHANGING_ERRORS, ERRORS
from logstream.dashboard.params import ServicesDependency
from logstream.dashboard.shelf.file import on_shelf
from logstream.dashboard.shelf.shares import add_share, find_share
from logstream.dashboard.shelf.values import checked_state

__all__ = ["share", "shared"]

ShareId = Annotated[str, PathParameter(description="A short link's id.")]


class PlaceBody(msgspec.Struct, forbid_unknown_fields=True):
    """A page's ``path``, and its query string without ``?``: 64 KiB together."""

    path: str
    search: str = ""


class ShareAnswer(msgspec.Struct):
    """``/s/{id}`` and ``/?s={id}`` open the place."""

    id: str


@post("/share", responses=CHANGING_ERRORS, summary="Make a short link")
async def share(services: ServicesDependency, data: JSONBody[PlaceBody]) -> ShareAnswer:
    """Keep a place under a short id: the same for the same place."""
    state = checked_state(data.path, data.search)
    now_ns = services.clock.time_ns()
    kept, dropped = await on_shelf(
        services.settings.data_dir, lambda db: add_share(db, state, now_ns=now_ns)
    )
    metrics.SHARES_DROPPED.inc(dropped)
    return ShareAnswer(kept)


@get("/share/{share_id:str}", responses=ERRORS, summary="The place of a short link")
async def shared(services: ServicesDependency, share_id: ShareId) -> PlaceBody:
    """Where the link leads."""
    now_ns = services.clock.time_ns()
    state = await on_shelf(
        services.settings.data_dir, lambda db: find_share(db, share_id, now_ns=now_ns)
    )
    return PlaceBody(state.path, state.search)
