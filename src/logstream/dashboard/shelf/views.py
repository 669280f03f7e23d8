"""Saved views and signals that everybody sees; a change names the version that it is made to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from logstream.dashboard.shelf.values import MAX_VIEWS, Kind, View
from logstream.errors import Conflict, NotFound

__all__ = ["add_view", "change_view", "drop_view", "find_view", "list_views"]

_ALL = (
    "SELECT id, kind, name, grouped, search, query, version, updated_ns FROM views"
    " ORDER BY name COLLATE NOCASE, id"
)
_ONE = "SELECT id, kind, name, grouped, search, query, version, updated_ns FROM views WHERE id = ?"


def list_views(db: sqlite3.Connection) -> list[View]:
    """All of them, by name."""
    return [_view(row) for row in db.execute(_ALL)]


def add_view(db: sqlite3.Connection, view: View) -> View:
    """Keep a new one.

    Raises:
        Conflict: the name is taken, or there are `MAX_VIEWS` already.
    """
    [count] = db.execute("SELECT count(*) FROM views").fetchone()
    if count >= MAX_VIEWS:
        raise Conflict(f"{count} views and signals are kept already", hint="delete one of them")
    _refuse_taken(db, view.id, view.kind, view.name)
    db.execute("INSERT INTO views VALUES (?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(view))
    return view


def change_view(db: sqlite3.Connection, view: View) -> View:
    """Put ``view`` in the place of the same id and version; returns it with the next version.

    Raises:
        NotFound: it was deleted.
        Conflict: somebody else changed it, or the new name is taken.
    """
    kept = _kept(db, view.id, view.version)
    _refuse_taken(db, view.id, kept.kind, view.name)
    db.execute(
        "UPDATE views SET name = ?, grouped = ?, search = ?, query = ?, version = version + 1,"
        " updated_ns = ? WHERE id = ?",
        (view.name, view.group, view.search, view.query, view.updated_ns, view.id),
    )
    return _kept(db, view.id, view.version + 1)


def drop_view(db: sqlite3.Connection, id: str, version: int) -> None:
    """Forget one.

    Raises:
        NotFound: it was deleted.
        Conflict: somebody else changed it.
    """
    _kept(db, id, version)
    db.execute("DELETE FROM views WHERE id = ?", (id,))


def find_view(db: sqlite3.Connection, id: str) -> View:
    """The one of that id.

    Raises:
        NotFound: there is none.
    """
    row = db.execute(_ONE, (id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no saved view {id[:100]!r}", hint="somebody may have deleted it")
    return _view(row)


def _kept(db: sqlite3.Connection, id: str, version: int) -> View:
    view = find_view(db, id)
    if view.version != version:
        raise Conflict(
            f"somebody has changed {view.name!r} since you loaded it",
            hint="load it again, or save yours under another name",
        )
    return view


def _refuse_taken(db: sqlite3.Connection, id: str, kind: Kind, name: str) -> None:
    taken = db.execute(
        "SELECT 1 FROM views WHERE kind = ? AND name = ? AND id <> ?", (kind, name, id)
    ).fetchone()
    if taken:
        raise Conflict(f"there is a {kind} {name!r} already", hint="choose another name")


def _view(row: Sequence[object]) -> View:
    return msgspec.convert(dict(zip(View.__struct_fields__, row, strict=True)), View)
