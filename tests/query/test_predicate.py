"""What filters mean, told by examples; the engine is held to the same in the agreement tests."""

from __future__ import annotations

import pytest

from logstream.errors import QueryError
from logstream.query import Comparison, FieldFilter, attribute, parse, resolve
from logstream.query.evaluate import evaluate, predicate
from logstream.query.to_clickhouse import Params, compile_filter
from logstream.record import Record

RECORD = Record(
    timestamp_ns=1_700_000_000_123_456_789,
    message="GET /api/v1/users/node-12 failed:\nConnection Refused by user_id=7 (Ünicode)",
    level="error",
    severity_number=18,
    service="checkout",
    trace_id="4bf92f",
    attributes={
        "took": "1m30.5s",
        "took_ms": "90500",
        "size": "1.5 MB",
        "status": "503",
        "path": "/api/v1",
        "empty": "",
        "level": "own",
        "a b": "x y",
    },
    resource={"host.name": "web-1", "status": "shadowed", "service.name": "checkout"},
    scope_attributes={"lib": "otel"},
)

MATCHING = (
    "*", "get", "GET", "users", "node-12", "NODE-12", '"connection refused"', "conn*", "/api/v1",
    '"v1/users"', "id", "user_id=7", "Ünicode", "Ü*", '"failed:\\nConn"*', "/node-\\d+/", "/^get/i",
    r"/failed:.Connection/", "service:checkout", "service:check*", "service:/^check/",
    "status:503", "status:>=500", "status:>502.5", "status:[500 TO 503]", "status:[* TO 1e3}",
    "resource.status:shadowed", "host.name:web-1", "lib:otel", "empty:*", 'empty:""',
    "level:error", "level:ERR", "level:>=warn", "level:<fatal", "level:18", "level:[warn TO error]",
    '"level":own', "attributes.level:own", 'attributes."a b":"x y"', '"a b":x*',
    "timestamp:>=2023-11-14", "timestamp:2023-11-14T22:13:20.123456789Z",
    "timestamp:<2023-11-15T00:00:00+01:00", "severity_number:18", "severity_number:<=18.0",
    "message:refused", "message:node-1*", "msg:refused", "msg:ref*", "severity:>=warn",
    "service.name:checkout", "traceId:4bf92f", "NOT status:200", "-missing:x", "NOT missing:*",
    "status:(200 OR 503)", "status:(NOT 200)", 'span_id:""', "missing OR refused",
    "took:>90s", "took:>=90500ms", "took:<1.6m", "took:[1m TO 0.1h]", "took:{* TO 1d]",
    "took_ms:>90s", "took_ms:>90000", "size:>1MB", "size:<1.5MiB", 'size:[1499kB TO "1500 kB"]',
)  # fmt: skip
OTHERS = (
    "node-1", "ode-12", "use", "ünicode", "onn*", '"connection  refused"', "/^node/", "/GET$/",
    "service:Checkout", "service:check", "status:50", "status:shadowed", "status:>503",
    "status:{503 TO *]", "path:>1", "empty:>0", "missing:*", 'missing:""', "missing:<5",
    "missing:x", "level:info", "level:<error", "level:>error", 'level:""',
    "level:17 level:warn", "timestamp:<2023-11-14", "span_id:*", 'message:="get"', "NOT *",
    "severity_number:17", "lib:o", "attributes.lib:otel", "status:(503 200)",
    "took:>90.5s", "took:>90", "took:>1kB", "took_ms:>1kB", "status:>1ms", "size:>1s", "size:>1GB",
    "took:<1s", "size:>=1500001B", "took:90.5s",
)  # fmt: skip


@pytest.mark.parametrize("text", MATCHING)
def test_matches(text: str) -> None:
    """The example record matches."""
    assert predicate(parse(text).filter)(RECORD)


@pytest.mark.parametrize("text", OTHERS)
def test_does_not_match(text: str) -> None:
    """The example record does not match."""
    assert not predicate(parse(text).filter)(RECORD)


def test_records_without_a_level_are_below_no_level() -> None:
    """A record without a severity matches no ordering, only the empty level."""
    record = Record(timestamp_ns=0)
    assert not predicate(parse("level:<=fatal").filter)(record)
    assert predicate(parse('level:""').filter)(record)


def test_a_synonym_asks_the_attribute_of_its_name_first() -> None:
    """A record's own attribute is never hidden by a synonym."""
    record = Record(timestamp_ns=0, message="hello", attributes={"msg": "own", "severity": "7"})
    assert predicate(parse("msg:own severity:>=5").filter)(record)
    assert not predicate(parse("msg:hello").filter)(record)


def test_results_show_absent_fields_as_null() -> None:
    """A table holds null where an attribute is lacking, and times as text."""
    table = evaluate(parse("* | fields timestamp, status, nothing, msg"), [RECORD])
    assert table.columns == ("timestamp", "status", "nothing", "msg")
    assert table.rows == [("2023-11-14T22:13:20.123456789Z", "503", None, RECORD.message)]


def test_a_query_without_pipes_gives_whole_records() -> None:
    """Pipes that keep records whole give the record's columns."""
    table = evaluate(parse("* | limit 1"), [RECORD, RECORD])
    (row,) = table.rows
    assert dict(zip(table.columns, row, strict=True))["attributes"] == RECORD.attributes


def test_hand_made_filters_are_checked_too() -> None:
    """A filter that did not come from text is refused where it would be run."""
    broken = FieldFilter(attribute("a"), Comparison(">", "five"))
    with pytest.raises(QueryError):
        predicate(broken)
    with pytest.raises(QueryError):
        compile_filter(broken, Params())


def test_sql_holds_nothing_a_user_wrote() -> None:
    """Values and keys appear in parameters only."""
    params = Params()
    text = '"evil\'; DROP" key:"evil" "evil key":evil* /evil/ evil.key:>=1 "evil":*'
    sql = compile_filter(parse(text).filter, params)
    assert "evil" not in sql.lower()
    assert "DROP" not in sql
    assert resolve('"evil"') == attribute("evil")
    assert {"evil", "evil key"} <= set(params.values.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("took:[1s TO 5MB]", '"5MB" is no duration'),
        ("took:[100 TO 2s]", '"100" is no duration'),
        ("size:{1kB TO 5]", '"5" is no size'),
        ("severity_number:>1s", '"1s" is no number'),
        ("took:>1e400s", '"1e400s" is no number'),
        ("level:>1s", '"1s" is no level'),
    ],
)
def test_quantities_that_cannot_be_compared_are_refused(text: str, message: str) -> None:
    """Both ends of a range are of one kind, and columns of numbers take plain numbers."""
    with pytest.raises(QueryError, match=message):
        parse(text)


def test_long_texts_that_are_almost_numbers_cost_one_look() -> None:
    """Telling that half a megabyte of digits is no number or duration takes no noticeable time."""
    digits = "1" * 500_000
    for text in (digits + "x", digits + "." + digits + "x", "1e" + digits + "x", digits + "Xs"):
        record = Record(timestamp_ns=0, attributes={"took_ms": text})
        assert not predicate(parse("took_ms:(>1s OR >1)").filter)(record)
