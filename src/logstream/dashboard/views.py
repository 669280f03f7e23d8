"""``/api/v1/views``: saved views and signals that everybody who may open the dashboard shares."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from logstream.dashboard.errors import CHANGING_ERRORS, ERRORS
from logstream.dashboard.params import ServicesDependency
from logstream.dashboard.shelf import views
from logstream.dashboard.shelf.file import on_shelf
from logstream.dashboard.shelf.values import (
    MAX_VIEW_BYTES,
    Kind,
    View,
    checked_name,
    checked_search,
)
from logstream.errors import BadRequest, PayloadTooLarge
from logstream.query import parse
from logstream.timestamps import format_timestamp

__all__ = ["add_view", "change_view", "delete_view", "list_views"]

Version = Annotated[
    int, QueryParameter(name="version", ge=1, description="The version that is meant.")
]
ViewId = Annotated[str, PathParameter(description="A view's id, as listed.")]


class ViewAnswer(msgspec.Struct):
    """A view (``search``: its part of Explore's address) or a signal (``query``: its filter).

    ``group`` joins signals of which any may match; ``version`` is named by whoever changes it.
    """

    id: str
    kind: Kind
    name: str
    group: str
    search: str
    query: str
    version: int
    updated_at: str


class ViewsAnswer(msgspec.Struct):
    """By name."""

    views: list[ViewAnswer]


class NewView(msgspec.Struct, forbid_unknown_fields=True):
    """A view wants ``search``, a signal ``query``, which has no pipes."""

    name: str
    kind: Kind = "view"
    group: str = ""
    search: str = ""
    query: str = ""


class ChangedView(msgspec.Struct, forbid_unknown_fields=True):
    """All of it as it is to be, and the version that it was made from."""

    name: str
    version: int
    group: str = ""
    search: str = ""
    query: str = ""


class DeletedView(msgspec.Struct):
    """The one that is no more."""

    id: str


@get("/views", responses=ERRORS, summary="Saved views and signals")
async def list_views(services: ServicesDependency) -> ViewsAnswer:
    """All that are shared, by name."""
    found = await on_shelf(services.settings.data_dir, views.list_views)
    return ViewsAnswer([_answer(view) for view in found])


@post("/views", responses=CHANGING_ERRORS, summary="Save a view or a signal")
async def add_view(services: ServicesDependency, data: JSONBody[NewView]) -> ViewAnswer:
    """Keep it under its name, which no other of its kind has."""
    view = _checked(services, data, kind=data.kind, id=secrets.token_hex(8), version=1)
    return _answer(await on_shelf(services.settings.data_dir, lambda db: views.add_view(db, view)))


@put("/views/{view_id:str}", responses=CHANGING_ERRORS, summary="Change a view or a signal")
async def change_view(
    services: ServicesDependency, view_id: ViewId, data: JSONBody[ChangedView]
) -> ViewAnswer:
    """Give it another name or content, unless somebody else has changed it meanwhile."""

    def change(db: sqlite3.Connection) -> View:
        kind = views.find_view(db, view_id).kind
        view = _checked(services, data, kind=kind, id=view_id, version=data.version)
        return views.change_view(db, view)

    return _answer(await on_shelf(services.settings.data_dir, change))


@delete(
    "/views/{view_id:str}", status_code=200, responses=CHANGING_ERRORS,
    summary="Delete a view or a signal",
)  # fmt: skip
async def delete_view(
    services: ServicesDependency, view_id: ViewId, version: Version
) -> DeletedView:
    """Forget it, unless somebody else has changed it meanwhile."""
    await on_shelf(services.settings.data_dir, lambda db: views.drop_view(db, view_id, version))
    return DeletedView(view_id)


def _checked(
    services: ServicesDependency, data: NewView | ChangedView, *, kind: Kind, id: str, version: int
) -> View:
    empty, other = ("query", data.query) if kind == "view" else ("search", data.search)
    if other:
        raise BadRequest(f"a {kind} has no {empty}")
    if kind == "signal":
        _check_signal(data.query)
    return View(
        id=id,
        kind=kind,
        name=checked_name(data.name),
        group=checked_name(data.group, "group", empty=True),
        search=checked_search(data.search, most_bytes=MAX_VIEW_BYTES),
        query=data.query,
        version=version,
        updated_ns=services.clock.time_ns(),
    )


def _check_signal(query: str) -> None:
    if len(query.encode()) > MAX_VIEW_BYTES:
        raise PayloadTooLarge(f"the query is over {MAX_VIEW_BYTES} bytes")
    if not query.strip():
        raise BadRequest("a signal's query is empty", hint="say what is to match")
    if parse(query).pipes:
        raise BadRequest("a signal has no pipes", hint="give the filter before the first | alone")


def _answer(view: View) -> ViewAnswer:
    return ViewAnswer(
        view.id, view.kind, view.name, view.group, view.search, view.query, view.version,
        format_timestamp(view.updated_ns),
    )  # fmt: skip
