"""MongoDB and plain Python select the same records for the same query."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.collection import Collection

from logstream.query import Filter, Query, ast, attribute, field_equals, parse
from logstream.query.evaluate import evaluate, predicate
from logstream.query.mongodb_conditions import quote_key, unquote_key
from logstream.query.to_mongodb import compile_filter
from logstream.record import Record, batch_of
from logstream.store.base import TimeRange
from logstream.store.mongodb.documents import documents_of, record_id, stored_record
from logstream.testing.query_strategies import any_text, filters, queries, records
from tests.query.test_engine_agreement import assert_same
from tests.store.mongodb_server import MongoServer, mongo_server

ALL_TIME = TimeRange(0, 1 << 63)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A MongoDB server, running for the whole module."""
    yield from mongo_server(tmp_path_factory.mktemp("mongodb"))


class Documents:
    """One collection of documents; `fill` replaces them."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    def fill(self, stored: Sequence[Record]) -> None:
        """Make these, numbered from 0, the only records."""
        self._collection.delete_many({})
        if stored:
            self._collection.insert_many(list(documents_of(batch_of(stored), 0)))

    def matching(self, wanted: Filter) -> tuple[list[int], bool]:
        """Numbers of the records that the compiled filter selects, and whether it is exact."""
        compiled = compile_filter(wanted)
        found = self._collection.find(compiled.document, {"_id": 1})
        return sorted(record_id(each["_id"]) for each in found), compiled.exact

    def all(self) -> list[Record]:
        """What is stored."""
        return [stored_record(each).record for each in self._collection.find({}).sort("_id")]


@pytest.fixture(scope="module")
def documents(server: MongoServer) -> Iterator[Documents]:
    """An empty collection."""
    client: MongoClient[dict[str, Any]] = MongoClient(server.database())
    with client:
        yield Documents(client.get_default_database()["records"])


def found_by_predicate(stored: Sequence[Record], wanted: Filter) -> list[int]:
    """Numbers of the records that the predicate keeps."""
    keep = predicate(wanted)
    return [number for number, record in enumerate(stored) if keep(record)]


def assert_agrees(documents: Documents, stored: Sequence[Record], wanted: Filter) -> None:
    """The server selects what the predicate keeps, or more when it says so; never less."""
    found, exact = documents.matching(wanted)
    expected = found_by_predicate(stored, wanted)
    if exact:
        assert found == expected, str(wanted)
    assert set(found) >= set(expected), str(wanted)


@given(data=st.data(), stored=st.lists(records(), max_size=8))
@settings(max_examples=60)
def test_filters_select_the_same_records(
    documents: Documents, data: st.DataObject, stored: list[Record]
) -> None:
    """Any filter selects of any records what the predicate keeps; inexact ones may select more."""
    documents.fill(stored)
    for each in data.draw(st.lists(filters(stored), min_size=2, max_size=6)):
        assert_agrees(documents, stored, each)


@given(stored=st.lists(records(), min_size=1, max_size=3))
@settings(max_examples=30)
def test_every_stored_value_is_found_through_its_filter(
    documents: Documents, stored: list[Record]
) -> None:
    """Message, service, attribute keys and values: the text of the filter for each finds it."""
    documents.fill(stored)
    assert documents.all() == stored
    for number, record in enumerate(stored):
        wanted: list[Filter] = [
            field_equals("message", record.message),
            field_equals("service", record.service),
            field_equals("level", record.level),
            ast.text_filter(record.message),
        ]
        for key, value in record.attributes.items():
            wanted.append(field_equals(attribute(key), value))
            wanted.append(ast.FieldFilter(attribute(key), ast.Exists()))
        for each in wanted:
            assert number in documents.matching(each)[0], str(each)


@pytest.mark.parametrize(
    "text",
    [
        "timeout", '"connection refused"', "time*", "level:error", "level:>=warn", "NOT level:info",
        'level:""', "level:/^e/", "level:er*", "service:api", "service:ap*", "trace_id:*",
        "status:500", "status:>=500", "status:[200 TO 300}", "host:web*", "host:*",
        "severity:warn", "severity_number:>8", "timestamp:>2026-01-01",
        '(timeout OR refused) level:error -service:"web" attributes.status:<400',
    ],
)  # fmt: skip
def test_what_people_ask_is_decided_by_the_server(text: str) -> None:
    """Words, phrases, levels, services, attributes and numbers need no second look."""
    assert compile_filter(parse(text).filter).exact


@pytest.mark.parametrize("text", ["/time(d )?out/", "host:/^web/", "service:>5", "-/a/", "a /b/"])
def test_patterns_never_reach_the_server(text: str) -> None:
    """A regular expression of the user's is for the predicate alone, and the filter says so."""
    compiled = compile_filter(parse(text).filter)
    assert not compiled.exact
    for piece in ("time(", "^web", "/b/"):
        assert piece not in repr(compiled.document)


@given(text=any_text(12), around=any_text(3), whole=st.booleans())
@example(text="K", around="", whole=True)
@example(text="\u212a", around="k", whole=True)
@example(text="a\n", around="\n", whole=True)
@example(text="x" * 400, around="y", whole=True)
@example(text="[a-z]+(?i)\\E^$.|", around="\0", whole=False)
def test_literal_text_is_found_as_written(
    documents: Documents, text: str, around: str, whole: bool
) -> None:
    """Whatever a phrase holds, it is looked for as literal text, by the rules for tokens."""
    stored = [
        Record(timestamp_ns=i, message=message)
        for i, message in enumerate(
            (text, f"{around}{text}", f"{text}{around}", text.upper(), text.lower(), f"-{text}_")
        )
    ]
    documents.fill(stored)
    wanted: Filter = ast.text_filter(text) if whole or not text else ast.Prefix(text)
    assert_agrees(documents, stored, wanted)


@given(key=any_text(8))
@example(key="")
@example(key="%")
@example(key="%2E.%00\0$$")
@example(key="_id")
@example(key=" %20\u2003")
@example(key=" ")
def test_keys_come_back(key: str) -> None:
    """Every key has a name that BSON and paths can take, and is that key again."""
    name = quote_key(key)
    assert name
    assert not set(name) & {".", "$", "\0"}
    assert name == name.strip()
    assert unquote_key(name) == key


@given(data=st.data(), stored=st.lists(records(), max_size=6, unique_by=lambda r: r.timestamp_ns))
@settings(max_examples=25)
def test_pipes_give_the_same_rows(
    server: MongoServer, data: st.DataObject, stored: list[Record]
) -> None:
    """Any pipes give the same table, counted by the server or here."""
    asked = data.draw(st.lists(queries(stored), min_size=1, max_size=4))
    found = asyncio.run(tables(server, stored, asked))
    for query, table in zip(asked, found, strict=True):
        assert_same(table, evaluate(query, stored), query)


def test_counting_pipes_give_the_same_rows(server: MongoServer) -> None:
    """Tables of counts, by columns, times and attributes of any place, come in the same order."""
    stored = [
        Record(
            timestamp_ns=30_000_000_000 * i,
            service=("api", "web", "")[i % 3],
            level=("error", "info", "")[i % 3],
            severity_number=(17, 9, 0)[i % 3],
            attributes=({"ms": str(i % 4)}, {}, {"service.name": "own"})[i % 3],
            resource=({}, {"ms": str(i % 4), "zone": "a"})[i % 2],
            scope_attributes={"ms": "9"} if i % 5 == 0 else {},
        )
        for i in range(20)
    ]
    texts = [
        "* | stats count()",
        "nothing | stats count()",
        "nothing | stats count() by service",
        "* | stats count() n, count() m by service, level",
        "* | stats count() by bin(1m), level",
        "* | stats count() by bin(7s)",
        "* | stats count() by ms",
        "* | stats count() by ms, resource.zone | sort ms desc | limit 3",
        "* | stats count() by service.name",
        "* | stats count() by severityNumber",
        "* | stats count() by severity_number | stats count() by severity_number",
        "* | top 2 service",
        "* | top 5 ms, level",
        "* | top 3 severityNumber | fields count",
        "level:error | top 3 service.name",
        "/./ | top 3 ms",
        "* | limit 3 | stats count() by service",
    ]
    asked = [parse(text) for text in texts]
    for query, table in zip(asked, asyncio.run(tables(server, stored, asked)), strict=True):
        expected = evaluate(query, stored)
        assert table.rows == expected.rows, str(query)
        assert table.columns == expected.columns


async def tables(
    server: MongoServer, stored: Sequence[Record], asked: Sequence[Query]
) -> list[Any]:
    """The store's answers."""
    store = server.store()
    await store.start()
    try:
        await store.insert(batch_of(stored), group=1)
        return [await store.table(query, ALL_TIME) for query in asked]
    finally:
        await store.close()
