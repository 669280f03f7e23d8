"""Documents of the product that was there before, read from a MongoDB server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from logstream.errors import SettingError
from logstream.migrate.copy import Copy, Totals
from logstream.migrate.documents import (
    DocumentsSource,
    find_documents,
    looks_like_logs,
    opened,
    plain,
)
from logstream.migrate.journal import Journal
from logstream.record import Record
from logstream.store.base import TimeRange
from logstream.store.memory import MemoryStore
from logstream.store.mongodb.store import COLLECTION
from logstream.testing.store_contract import ALL_TIME, every_page
from logstream.timestamps import parse_timestamp
from tests.store.mongodb_server import MongoServer, mongo_server

AT = dt.datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=dt.UTC)
AT_NS = parse_timestamp("2024-05-06T07:08:09.123Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


def fill(url: str, documents: list[dict[str, Any]], collection: str = "logs") -> None:
    """Put documents into a collection, as the first product did."""
    with closing(MongoClient[dict[str, Any]](url)) as client:
        client.get_default_database()[collection].insert_many(documents)


def a_log(**more: Any) -> dict[str, Any]:
    document = {"level": "error", "message": "card declined", "service": "pay", "timestamp": AT}
    return document | {"metadata": {"user": 7, "cart": {"items": 2}}, "__v": 0} | more


async def imported(
    url: str, folder: Path, to: MemoryStore, between: TimeRange = ALL_TIME
) -> Totals:
    journal = Journal(folder, "import")
    try:
        async with opened(url, await find_documents(url, "")) as connection:
            source = DocumentsSource(connection, between)
            return await Copy("logs > memory", source, to, journal, batch_rows=7).run()
    finally:
        journal.close()


async def test_a_document_becomes_a_record(server: MongoServer, tmp_path: Path) -> None:
    """Level, message, service, timestamp and metadata are where the same JSON would put them."""
    url, to = server.database(), MemoryStore()
    fill(url, [a_log()])
    assert await imported(url, tmp_path, to) == Totals(1, 0)
    [row] = await every_page(to)
    assert AT_NS is not None
    assert row.record == Record(
        timestamp_ns=AT_NS, level="error", severity_number=17, message="card declined",
        service="pay", attributes={"metadata.user": "7", "metadata.cart.items": "2"},
    )  # fmt: skip


async def test_odd_documents(server: MongoServer, tmp_path: Path) -> None:
    """Without a time the id's is taken; what is no log is refused and kept with its reason."""
    made = ObjectId.from_datetime(dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    url, to = server.database(), MemoryStore()
    fill(url, [
        {"_id": made, "message": "no time", "level": "info"},
        a_log(message="bytes", metadata={"raw": b"\x00\xff", "at": AT}),
        a_log(message="a text", metadata="not an object", level="WARNING"),
        a_log(message="year 3000", timestamp=dt.datetime(3000, 1, 1, tzinfo=dt.UTC)),
        {"level": "info", "timestamp": AT},
    ])  # fmt: skip
    totals = await imported(url, tmp_path, to)
    rows = {row.record.message: row.record for row in await every_page(to)}

    assert rows["no time"].timestamp_ns == 1_704_067_200 * 10**9
    assert rows["bytes"].attributes["metadata.raw"] == "AP8="
    assert rows["bytes"].attributes["metadata.at"] == "2024-05-06T07:08:09.123000+00:00"
    assert rows["a text"].level == "warn"
    assert rows["a text"].attributes == {"metadata": "not an object"}
    assert "year 3000" not in rows
    assert totals.copied + totals.refused == 5
    assert totals.refused >= 1
    assert "year 3000" in (tmp_path / "import.refused.ndjson").read_text()


async def test_an_import_goes_on_where_it_was(
    server: MongoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run takes what came since, whatever type its id has, and nothing twice."""
    monkeypatch.setattr("logstream.migrate.documents._PAGE_ROWS", 10)
    url, to = server.database(), MemoryStore()
    fill(url, [a_log(message=f"m{n}", _id=n) for n in range(25)])
    assert (await imported(url, tmp_path, to)).copied == 25
    fill(url, [a_log(message=f"m{n}", _id=n) for n in range(25, 40)])
    fill(url, [a_log(message=f"s{n}", _id=f"id{n}") for n in range(15)])
    fill(url, [a_log(message=f"o{n}") for n in range(15)])
    assert (await imported(url, tmp_path, to)).copied == 70
    fill(url, [a_log(message="last")])
    assert (await imported(url, tmp_path, to)).copied == 71
    messages = [row.record.message for row in await every_page(to)]
    assert len(messages) == len(set(messages)) == 71


async def test_only_documents_of_the_time_asked_for(server: MongoServer, tmp_path: Path) -> None:
    """--since and --until look at the record's own time."""
    url, to = server.database(), MemoryStore()
    moments = [AT + dt.timedelta(hours=n) for n in range(5)]
    fill(url, [a_log(message=f"m{n}", timestamp=at) for n, at in enumerate(moments)])
    hour_ns = 3_600 * 10**9
    assert AT_NS is not None
    between = TimeRange(AT_NS + hour_ns, AT_NS + 3 * hour_ns)
    assert (await imported(url, tmp_path, to, between)).copied == 2
    assert {row.record.message for row in await every_page(to)} == {"m1", "m2"}


async def test_collections_are_told_by_their_documents(server: MongoServer) -> None:
    """The only one that looks like logs is taken; none or two is an error that names them."""
    url = server.database()
    fill(url, [{"name": "x"}], "users")
    with pytest.raises(SettingError, match="no logs"):
        await find_documents(url, "")
    with pytest.raises(SettingError, match="holds no logs"):
        await find_documents(url, "users")
    fill(url, [a_log()], "logs")
    assert await find_documents(url, "") == "logs"
    fill(url, [a_log()], "old")
    with pytest.raises(SettingError, match="several") as error:
        await find_documents(url, "")
    assert "logs, old" in error.value.hint
    assert await find_documents(url, "old") == "old"
    fill(url, [{"_id": 1, "timestamp_ns": 1}], COLLECTION)
    assert await find_documents(url, "") == ""
    assert await find_documents(url, COLLECTION) == ""


def test_shapes() -> None:
    """A log has a message and something else of a log."""
    assert looks_like_logs({"message": "x", "level": "info"})
    assert looks_like_logs({"msg": "x", "timestamp": AT})
    assert not looks_like_logs({"message": "x", "from": "somebody"})
    assert not looks_like_logs({"level": 3})


def test_plain_values() -> None:
    """Whatever MongoDB holds has a form in JSON."""
    assert plain([1, 2.5, None, True, {"a": ObjectId("0" * 24)}]) == [
        1, 2.5, None, True, {"a": "0" * 24},
    ]  # fmt: skip
    assert plain([float("-inf"), float("nan")]) == ["-inf", "nan"]
    assert plain(dt.datetime(2024, 1, 1)) == "2024-01-01T00:00:00+00:00"  # noqa: DTZ001 - as the driver gives it
