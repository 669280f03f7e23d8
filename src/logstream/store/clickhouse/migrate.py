"""Bringing a database up to this version's schema, whoever else does so at the same time.

Every statement changes nothing when it is run again, so two processes that start at once may both
run them; what was applied is noted afterwards, twice then, which says the same.

A user without the right to create anything can start on a database that is complete.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from logstream.store.clickhouse.driver import Handle
from logstream.store.clickhouse.migrations import Migration, all_migrations, pending
from logstream.store.clickhouse.topology import Topology

__all__ = ["migrate", "without_unknown"]

_OPTIONAL_SETTINGS = frozenset({"auto_statistics_types"})


def migrate(handle: Handle, topology: Topology) -> None:
    """Create or complete the database; blocking.

    Raises:
        StoreUnavailable: it was written by a newer version, or a migration was edited.
    """
    if not handle.rows(
        "SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": topology.database}, {}
    ).rows:
        handle.command(topology.create_database(), settings=topology.ddl_settings)
    tables = _tables(handle, topology)
    if topology.notes_table not in tables:
        _run(handle, topology.create_notes(), topology)
    noted = handle.rows(f"SELECT DISTINCT number, checksum FROM {topology.notes_table}", {}, {})
    applied = dict(map(tuple, noted.rows))
    if topology.table not in tables:
        # A node that joined the cluster later has the notes, replicated, and not the tables.
        pending(applied, all_migrations())
        applied = {}
    for migration in pending(applied, all_migrations()):
        _run(handle, topology.statements(migration), topology)
        _note(handle, topology, migration)


def _tables(handle: Handle, topology: Topology) -> set[str]:
    found = handle.rows(
        "SELECT name FROM system.tables WHERE database = {name:String}",
        {"name": topology.database},
        {},
    )
    return {f"{topology.database}.{row[0]}" for row in found.rows}


def _run(handle: Handle, statements: tuple[str, ...], topology: Topology) -> None:
    found = handle.rows("SELECT name FROM system.merge_tree_settings", {}, {})
    known = {row[0] for row in found.rows}
    for statement in statements:
        handle.command(without_unknown(statement, known), settings=topology.ddl_settings)


def without_unknown(statement: str, known: AbstractSet[str]) -> str:
    """The statement without the table settings that an older server does not have and that a
    table does without; they are never the first."""
    for name in _OPTIONAL_SETTINGS - known:
        statement = re.sub(rf",\s*\b{name} = [^,\n]*", "", statement)
    return statement


def _note(handle: Handle, topology: Topology, migration: Migration) -> None:
    handle.command(
        f"INSERT INTO {topology.notes_table} (number, name, checksum) "
        "SELECT {number:UInt32}, {name:String}, {checksum:String}",
        {
            "number": migration.number,
            "name": migration.name,
            "checksum": migration.checksum,
        },
    )
