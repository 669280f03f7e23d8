"""``/api/v1/pins`` and ``/api/v1/shelf``: what else the dashboard keeps, and what became of it."""

from __future__ import annotations

import sqlite3

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from logstream.dashboard.errors import CHANGING_ERRORS, ERRORS
from logstream.dashboard.params import ServicesDependency, field_name
from logstream.dashboard.shelf import pins
from logstream.dashboard.shelf.file import FILE_NAME, on_shelf, set_aside
from logstream.dashboard.shelf.shares import count_shares, dropped_shares
from logstream.dashboard.shelf.values import MAX_PIN_BYTES, MAX_SHARES, MAX_VIEWS
from logstream.dashboard.shelf.views import list_views
from logstream.errors import BadRequest
from logstream.timestamps import format_timestamp

__all__ = ["change_pin", "list_pins", "shelf_state"]


class PinsAnswer(msgspec.Struct):
    """Fields as queries write them, in the order in which they were pinned."""

    fields: list[str]


class PinBody(msgspec.Struct, forbid_unknown_fields=True):
    """``pinned``: whether it is to be."""

    field: str
    pinned: bool


class AsideAnswer(msgspec.Struct):
    """A damaged file, and the name in the same folder under which it is kept."""

    at: str
    file: str


class ShelfAnswer(msgspec.Struct):
    """``shares_dropped``: short links that had to go for newer ones or for their age."""

    file: str
    views: int
    max_views: int
    shares: int
    max_shares: int
    shares_dropped: int
    set_aside: list[AsideAnswer]


@get("/pins", responses=ERRORS, summary="Facets pinned for everybody")
async def list_pins(services: ServicesDependency) -> PinsAnswer:
    """All that are pinned for everybody."""
    return PinsAnswer(await on_shelf(services.settings.data_dir, pins.list_pins))


@post("/pins", status_code=200, responses=CHANGING_ERRORS, summary="Pin or unpin a facet")
async def change_pin(services: ServicesDependency, data: JSONBody[PinBody]) -> PinsAnswer:
    """Pin a field for everybody or unpin it, whatever it was before; answers with all of them."""
    if not data.field or len(data.field.encode()) > MAX_PIN_BYTES:
        raise BadRequest("field is empty or too long", hint=f"at most {MAX_PIN_BYTES} bytes")
    field, now_ns = field_name(data.field), services.clock.time_ns()

    def change(db: sqlite3.Connection) -> list[str]:
        if data.pinned:
            pins.pin(db, field, now_ns=now_ns)
        else:
            pins.unpin(db, field)
        return pins.list_pins(db)

    return PinsAnswer(await on_shelf(services.settings.data_dir, change))


@get("/shelf", responses=ERRORS, summary="What is kept for users")
async def shelf_state(services: ServicesDependency) -> ShelfAnswer:
    """How much is kept, how much had to go, and whether a damaged file was set aside."""

    def look(db: sqlite3.Connection) -> ShelfAnswer:
        return ShelfAnswer(
            file=FILE_NAME,
            views=len(list_views(db)),
            max_views=MAX_VIEWS,
            shares=count_shares(db),
            max_shares=MAX_SHARES,
            shares_dropped=dropped_shares(db),
            set_aside=[AsideAnswer(format_timestamp(a.at_ns), a.file) for a in set_aside(db)],
        )

    return await on_shelf(services.settings.data_dir, look)
