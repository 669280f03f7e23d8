"""One server or a cluster: which tables there are, and the SQL that makes and addresses them.

The schema has one source, the files in ``schema/``, written for one server. On a cluster the same
statements are rewritten, and nothing else differs: ::

    one server            a cluster
    otel_logs             otel_logs_local on every node (ReplicatedMergeTree), and
                          otel_logs (Distributed over them) for every read

A whole insert goes to one shard: the sharding key is a hash of the group's number. So an insert
stays one block, a retry finds the shard that its first try went to, and the deduplication token
means the same there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

import msgspec

from logstream.errors import SettingError
from logstream.store.base import ROW_BITS
from logstream.store.clickhouse.migrations import Migration

__all__ = ["LOGS_TABLE", "InsertPath", "Topology"]

LOGS_TABLE = "otel_logs"
NOTES_TABLE = "schema_migrations"

InsertPath = Literal["distributed", "local"]

_DDL_TIMEOUT_S = 30
_DEDUPLICATION_WINDOW = 10_000
_DEDUPLICATION_WINDOW_S = 7 * 86_400

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CLUSTER = re.compile(r"[A-Za-z0-9_.-]{1,64}|\{[A-Za-z0-9_]{1,64}\}")
_QUORUM = re.compile(r"|auto|[1-9][0-9]?")
_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_ALTER = re.compile(r"ALTER TABLE (\w+)")
_ENGINE = re.compile(r"^ENGINE = MergeTree\b", re.MULTILINE)
_WINDOW = re.compile(r"\bnon_replicated_deduplication_window = \d+")

_NOTES_SQL = f"""
CREATE TABLE {NOTES_TABLE}
(
    number UInt32,
    name String,
    checksum String,
    applied_at DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tables are.

    Args:
        database: A name of letters, digits and ``_``.
        cluster: The cluster's name in the servers' configuration, or a macro such as
            ``{cluster}``; empty: one server.
        replicated: Tables of a cluster are ``ReplicatedMergeTree``; else each shard has one copy.
        insert: Where inserts go on a cluster: through the Distributed table, which knows the
            group's shard, or into the local table of the node that is asked.
        quorum: ``insert_quorum`` of replicated tables: replicas that must have an insert before
            it is answered (``auto``: most of them); empty: one.

    Raises:
        SettingError: a name that is none.
    """

    database: str = "logstream"
    cluster: str = ""
    replicated: bool = True
    insert: InsertPath = "distributed"
    quorum: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.database):
            raise SettingError(
                f"{self.database!r} cannot be the store's database",
                hint="a name of letters, digits and _, such as logstream",
            )
        if self.cluster and not _CLUSTER.fullmatch(self.cluster):
            raise SettingError(
                f"{self.cluster!r} cannot be the store's cluster",
                hint="the name under remote_servers in the server's configuration, or {cluster}",
            )
        if not _QUORUM.fullmatch(self.quorum):
            raise SettingError(
                f"quorum of the store cannot be {self.quorum!r}", hint="auto, or a number to 99"
            )

    # Names

    @property
    def table(self) -> str:
        """What every read asks."""
        return f"{self.database}.{LOGS_TABLE}"

    @property
    def insert_table(self) -> str:
        """What every insert writes to."""
        return self.table if self.insert == "distributed" else self._own(LOGS_TABLE)

    @property
    def notes_table(self) -> str:
        """Which migrations were applied: the same on every node."""
        return f"{self.database}.{NOTES_TABLE}"

    @property
    def parts(self) -> str:
        """The engine's list of data parts, each shard's once."""
        return f"cluster('{self.cluster}', system.parts)" if self.cluster else "system.parts"

    @property
    def parts_of(self) -> str:
        """The name in `parts` of the table that holds the rows."""
        return self._own(LOGS_TABLE).partition(".")[2]

    @property
    def rows_everywhere(self) -> str:
        """Rows as every replica has them, some of them more than once."""
        if not self.cluster:
            return self.table
        own = self._own(LOGS_TABLE).replace(".", ", ")
        return f"clusterAllReplicas('{self.cluster}', {own})"

    @property
    def processes(self) -> str:
        """The statements that run now, on every node."""
        if not self.cluster:
            return "system.processes"
        return f"clusterAllReplicas('{self.cluster}', system.processes)"

    def _own(self, name: str) -> str:
        suffix = "_local" if self.cluster and name != NOTES_TABLE else ""
        return f"{self.database}.{name}{suffix}"

    # Settings

    @property
    def everywhere_settings(self) -> Mapping[str, int | str]:
        """For reading `rows_everywhere`.

        An insert that may have gone to any shard is known by its rows alone, so every node has to
        answer. One that went through the Distributed table is known to its shard by its token
        too, which a replica that is down does not take away.
        """
        if not self.cluster:
            return {}
        return {"skip_unavailable_shards": int(self.insert == "distributed" and self.replicated)}

    @property
    def insert_settings(self) -> Mapping[str, int | str]:
        """For every insert, beside those that one server needs."""
        if not self.cluster:
            return {}
        settings: dict[str, int | str] = {"insert_distributed_sync": 1}
        if self.quorum:
            settings["insert_quorum"] = self.quorum
        return settings

    @property
    def tokens_are_kept(self) -> bool:
        """A token and the rows it stands for are written in one transaction (Keeper's)."""
        return bool(self.cluster) and self.replicated

    @property
    def ddl_settings(self) -> Mapping[str, int | str]:
        """For statements that change tables: a node that is down catches up when it is back."""
        if not self.cluster:
            return {}
        return {
            "distributed_ddl_task_timeout": _DDL_TIMEOUT_S,
            "distributed_ddl_output_mode": "null_status_on_timeout",
        }

    # Statements

    def create_database(self) -> str:
        # Never the engine's default database: chDB shows files of the current folder in it.
        return f"CREATE DATABASE IF NOT EXISTS {self.database}{self._on_cluster} ENGINE = Atomic"

    def create_notes(self) -> tuple[str, ...]:
        """Make the table that notes which migrations were applied, if it is not there."""
        return tuple(self._rendered(_NOTES_SQL.strip()))

    def statements(self, migration: Migration) -> tuple[str, ...]:
        """A migration's statements as they are run here; running them twice changes nothing."""
        return tuple(each for one in migration.statements for each in self._rendered(one))

    def drop_day(self, day: str) -> str:
        """Drop one day; ``day`` is ISO ``YYYY-MM-DD``, anything else is a ``ValueError``."""
        literal = date.fromisoformat(day).isoformat()
        return f"ALTER TABLE {self._own(LOGS_TABLE)}{self._on_cluster} DROP PARTITION '{literal}'"

    @property
    def _on_cluster(self) -> str:
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def _rendered(self, statement: str) -> Iterator[str]:
        create, alter = _CREATE.match(statement), _ALTER.match(statement)
        if create is not None:
            yield from self._created(create[1], statement[create.end() :])
        elif alter is not None:
            yield from self._altered(alter[1], statement[alter.end() :])
        else:
            raise ValueError(f"a migration cannot begin with {statement[:40]!r}")

    def _created(self, name: str, rest: str) -> Iterator[str]:
        own = self._own(name)
        head = f"CREATE TABLE IF NOT EXISTS {own}{self._on_cluster}"
        yield head + self._with_engine(own, rest)
        if own != f"{self.database}.{name}":
            table = own.partition(".")[2]
            yield (
                f"CREATE TABLE IF NOT EXISTS {self.database}.{name}{self._on_cluster} AS {own} "
                f"ENGINE = Distributed('{self.cluster}', '{self.database}', '{table}', "
                f"intHash64(bitShiftRight(RecordId, {ROW_BITS})))"
            )

    def _with_engine(self, own: str, rest: str) -> str:
        if not (self.cluster and self.replicated):
            return rest
        # The notes are one table of the whole cluster, the logs one of each shard.
        notes = own == self.notes_table
        shard, replica = ("all", "{shard}-{replica}") if notes else ("{shard}", "{replica}")
        path = f"/clickhouse/tables/{shard}/{own.replace('.', '/')}"
        rest = _ENGINE.sub(f"ENGINE = ReplicatedMergeTree('{path}', '{replica}')", rest)
        return _WINDOW.sub(
            rf"\g<0>,\n    replicated_deduplication_window = {_DEDUPLICATION_WINDOW},\n"
            f"    replicated_deduplication_window_seconds = {_DEDUPLICATION_WINDOW_S}",
            rest,
        )

    def _altered(self, name: str, rest: str) -> Iterator[str]:
        yield f"ALTER TABLE {self._own(name)}{self._on_cluster}{rest}"
        if self._own(name) != f"{self.database}.{name}" and "COLUMN" in rest:
            yield f"ALTER TABLE {self.database}.{name}{self._on_cluster}{rest}"
