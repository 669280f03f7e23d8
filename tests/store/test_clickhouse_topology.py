"""Store URLs of ClickHouse servers, and the SQL that one server and a cluster are asked."""

from __future__ import annotations

import re

import pytest

from logstream.errors import SettingError
from logstream.store import open_store
from logstream.store.clickhouse.migrate import without_unknown
from logstream.store.clickhouse.migrations import Migration, all_migrations
from logstream.store.clickhouse.topology import Topology
from logstream.store.clickhouse.url import Host, parse_url

_CLUSTER = Topology(database="logs", cluster="{cluster}")


def test_a_url_with_everything() -> None:
    """Hosts, login, database and parameters are read, percent signs undone."""
    url = parse_url(
        "clickhouses://ann:p%40ss%2Fw@a.example,b:9443,[::1]:8443/logs?cluster=main&insert=local"
        "&replicated=false&compression=zstd&timeout=2m&connect_timeout=3s&verify=false"
    )
    assert url.hosts == (Host("a.example", 8443), Host("b", 9443), Host("::1", 8443))
    assert (url.username, url.password, url.secure, url.verify) == ("ann", "p@ss/w", True, False)
    assert (url.compression, url.timeout_s, url.connect_timeout_s) == ("zstd", 120.0, 3.0)
    assert url.topology == Topology(
        database="logs", cluster="main", insert="local", replicated=False
    )


def test_a_short_url() -> None:
    """What is left out has a default: the user, the port, the database; compression between
    machines only."""
    url = parse_url("clickhouse://db.example")
    assert (url.hosts, url.username, url.password) == ((Host("db.example", 8123),), "default", "")
    assert (url.topology, url.compression) == (Topology(database="logstream"), "lz4")
    assert parse_url("clickhouse://localhost:8123/x").compression == "none"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("clickhouse://", "names no host"),
        ("clickhouse:///logs", "names no host"),
        ("clickhouse://u:secret/x@host", "names no host"),
        ("clickhouse://u:secret@host:99999/x", "names no host"),
        ("clickhouse://u:secret@a,,b/x", "names no host"),
        ("clickhouse://u:secret@[::1/x", "cannot be understood"),
        ("clickhouse://u:secret@h/x;DROP", "cannot be the store's database"),
        ("clickhouse://u:secret@h/x?cluster=a'b", "cannot be the store's cluster"),
        ("clickhouse://u:secret@h/x?clutser=a", "has no parameter 'clutser'"),
        ("clickhouse://u:secret@h/x?insert=local", "is for a cluster"),
        ("clickhouse://u:secret@h/x?cluster=a&insert=both", "insert in the store URL cannot be"),
        ("clickhouse://u:secret@h/x?cluster=a&quorum=most", "quorum of the store cannot be"),
        ("clickhouse://u:secret@h/x?timeout=5", "timeout in the store URL cannot be '5'"),
        ("clickhouse://u:secret@h/x?verify=false", "is for clickhouses://"),
        ("clickhouse://u:secret@h/x?compression=brotli", "compression in the store URL cannot be"),
    ],
)
def test_a_url_that_says_nothing(url: str, says: str) -> None:
    """What cannot be understood is a setting to change; no message shows the password."""
    with pytest.raises(SettingError) as caught:
        open_store(url)
    assert says in caught.value.message
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_url_as_a_value_does_not_show_its_password() -> None:
    """Neither in a traceback nor in a log."""
    assert "secret" not in repr(parse_url("clickhouse://u:secret@h/x"))


def test_one_server() -> None:
    """On one server statements are the files', but may be run again."""
    topology = Topology(database="logs")
    (create,) = topology.statements(all_migrations()[0])
    (written,) = all_migrations()[0].statements
    assert create == written.replace("TABLE otel_logs", "TABLE IF NOT EXISTS logs.otel_logs")
    assert topology.create_database() == "CREATE DATABASE IF NOT EXISTS logs ENGINE = Atomic"
    assert topology.drop_day("2024-02-29") == (
        "ALTER TABLE logs.otel_logs DROP PARTITION '2024-02-29'"
    )
    assert (topology.table, topology.insert_table) == ("logs.otel_logs", "logs.otel_logs")
    assert (topology.parts, topology.processes) == ("system.parts", "system.processes")
    assert (topology.insert_settings, topology.ddl_settings) == ({}, {})


def test_a_cluster() -> None:
    """On a cluster the same table is replicated on every node, with a Distributed one before."""
    local, distributed = _CLUSTER.statements(all_migrations()[0])
    (written,) = all_migrations()[0].statements
    assert local == (
        written.replace(
            "TABLE otel_logs", "TABLE IF NOT EXISTS logs.otel_logs_local ON CLUSTER '{cluster}'"
        )
        .replace(
            "ENGINE = MergeTree",
            "ENGINE = ReplicatedMergeTree("
            "'/clickhouse/tables/{shard}/logs/otel_logs_local', '{replica}')",
        )
        .replace(
            "non_replicated_deduplication_window = 10000",
            "non_replicated_deduplication_window = 10000,\n"
            "    replicated_deduplication_window = 10000,\n"
            "    replicated_deduplication_window_seconds = 604800",
        )
    )
    assert "ReplicatedMergeTree" in local
    assert "replicated_deduplication_window_seconds" in local
    assert distributed == (
        "CREATE TABLE IF NOT EXISTS logs.otel_logs ON CLUSTER '{cluster}' AS logs.otel_logs_local "
        "ENGINE = Distributed('{cluster}', 'logs', 'otel_logs_local', "
        "intHash64(bitShiftRight(RecordId, 20)))"
    )


def test_a_cluster_of_unreplicated_shards() -> None:
    """Without replicas the engine stays what it is."""
    topology = Topology(database="logs", cluster="c", replicated=False)
    local, distributed = topology.statements(all_migrations()[0])
    assert "ENGINE = MergeTree" in local
    assert "ON CLUSTER 'c'" in local
    assert distributed.startswith("CREATE TABLE IF NOT EXISTS logs.otel_logs ON CLUSTER 'c' AS")
    assert not topology.tokens_are_kept


def test_the_notes_of_a_cluster_are_one_table() -> None:
    """Every node has all notes of what was applied, whatever its shard."""
    (notes,) = _CLUSTER.create_notes()
    assert (
        "ReplicatedMergeTree('/clickhouse/tables/all/logs/schema_migrations', "
        "'{shard}-{replica}')" in notes
    )
    assert _CLUSTER.notes_table == "logs.schema_migrations"


def test_what_is_asked_of_a_cluster() -> None:
    """Reads and, unless it says otherwise, inserts go to the Distributed table, which waits for
    the shard; sizes count each shard once; ids and statements are looked for on every replica."""
    assert (_CLUSTER.table, _CLUSTER.insert_table) == ("logs.otel_logs", "logs.otel_logs")
    assert _CLUSTER.insert_settings == {"insert_distributed_sync": 1}
    assert (_CLUSTER.parts, _CLUSTER.parts_of) == (
        "cluster('{cluster}', system.parts)", "otel_logs_local",
    )  # fmt: skip
    assert _CLUSTER.rows_everywhere == "clusterAllReplicas('{cluster}', logs, otel_logs_local)"
    assert _CLUSTER.processes == "clusterAllReplicas('{cluster}', system.processes)"
    assert _CLUSTER.drop_day("2024-02-29") == (
        "ALTER TABLE logs.otel_logs_local ON CLUSTER '{cluster}' DROP PARTITION '2024-02-29'"
    )


def test_inserts_into_local_tables() -> None:
    """The node that is asked keeps the rows; a retry may ask another, so that to be sure of what
    is there all have to answer."""
    local = Topology(database="logs", cluster="c", insert="local", quorum="auto")
    assert local.insert_table == "logs.otel_logs_local"
    assert local.insert_settings["insert_quorum"] == "auto"
    assert local.everywhere_settings == {"skip_unavailable_shards": 0}
    assert _CLUSTER.everywhere_settings == {"skip_unavailable_shards": 1}


def test_a_day_is_a_day() -> None:
    """Only a date becomes part of a statement."""
    with pytest.raises(ValueError, match="isoformat"):
        _CLUSTER.drop_day("2024-01-01' --")


def test_a_later_change_reaches_both_tables() -> None:
    """A new column is one of the local and of the Distributed table, a new index of the local
    one alone."""
    column = Migration(2, "x", ("ALTER TABLE otel_logs ADD COLUMN IF NOT EXISTS a UInt8",))
    assert _CLUSTER.statements(column) == (
        "ALTER TABLE logs.otel_logs_local ON CLUSTER '{cluster}' ADD COLUMN IF NOT EXISTS a UInt8",
        "ALTER TABLE logs.otel_logs ON CLUSTER '{cluster}' ADD COLUMN IF NOT EXISTS a UInt8",
    )
    index = Migration(3, "y", ("ALTER TABLE otel_logs ADD INDEX IF NOT EXISTS i a TYPE minmax",))
    assert len(_CLUSTER.statements(index)) == 1


def test_every_migration_may_be_run_twice() -> None:
    """What several processes apply at once says so in each of its statements."""
    for migration in all_migrations():
        for statement in _CLUSTER.statements(migration):
            assert re.search(r"IF (NOT )?EXISTS|\bMODIFY\b", statement), statement


def test_an_older_server_makes_the_same_table_without_what_it_does_not_know() -> None:
    """Of the settings only the dispensable are left out, and only where they are unknown."""
    (create,) = Topology().statements(all_migrations()[0])
    assert without_unknown(create, {"auto_statistics_types"}) == create
    older = without_unknown(create, {"fsync_after_insert"})
    assert older == re.sub(r" *auto_statistics_types = '',\n", "", create)
    assert older != create


def test_a_statement_of_another_kind_is_refused() -> None:
    """A migration that a cluster could not follow is found before it ships."""
    with pytest.raises(ValueError, match="cannot begin with"):
        _CLUSTER.statements(Migration(2, "x", ("DROP TABLE otel_logs",)))
