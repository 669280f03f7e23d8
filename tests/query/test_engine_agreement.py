"""ClickHouse and plain Python give the same rows for the same query."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logstream.query import Filter, Query, ast, attribute, field_equals, parse
from logstream.query.evaluate import evaluate, predicate
from logstream.query.table import Cell, Table
from logstream.query.text import number_of, tokens
from logstream.query.to_clickhouse import Params, compile_filter, compile_query
from logstream.record import Record
from logstream.testing.query_strategies import any_text, filters, patterns, queries, records
from tests.query.engine import Engine


def found_by_engine(engine: Engine, wanted: Filter) -> list[int]:
    """Numbers of the stored records that the compiled filter selects."""
    params = Params()
    return engine.matching(compile_filter(wanted, params), params)


def found_by_predicate(stored: Sequence[Record], wanted: Filter) -> list[int]:
    """Numbers of the records that the predicate keeps."""
    keep = predicate(wanted)
    return [number for number, record in enumerate(stored) if keep(record)]


@given(data=st.data(), stored=st.lists(records(), max_size=8))
def test_filters_select_the_same_records(
    engine: Engine, data: st.DataObject, stored: list[Record]
) -> None:
    """Any filter selects the same of any records in ClickHouse and in Python."""
    engine.fill(stored)
    for each in data.draw(st.lists(filters(stored), min_size=2, max_size=5)):
        assert found_by_engine(engine, each) == found_by_predicate(stored, each), str(each)


@given(data=st.data(), stored=st.lists(records(), max_size=6, unique_by=lambda r: r.timestamp_ns))
@settings(max_examples=40)
def test_pipes_give_the_same_rows(
    engine: Engine, data: st.DataObject, stored: list[Record]
) -> None:
    """Any pipes give the same table, as far as the language promises an order."""
    engine.fill(stored)
    for query in data.draw(st.lists(queries(stored), min_size=1, max_size=3)):
        params = Params()
        compiled = compile_query(query, params, table=engine.table)
        found = compiled.table(engine.rows(compiled.sql, params))
        assert_same(found, evaluate(query, stored), query)


def assert_same(found: Table, expected: Table, query: Query) -> None:
    """Equal columns and rows; after a limit on rows that tie, only as many rows."""
    assert found.columns == expected.columns
    assert len(found.rows) == len(expected.rows), str(query)
    kinds = [type(pipe) for pipe in query.pipes]
    if ast.Limit in kinds and ast.Sort in kinds:
        return
    mine, theirs = (Counter(map(rounded, table.rows)) for table in (found, expected))
    assert mine == theirs, str(query)


def rounded(row: tuple[Cell, ...]) -> tuple[object, ...]:
    """The row with floats cut to what does not depend on the order of additions."""
    return tuple(
        f"{value:.9e}" if isinstance(value, float)
        else tuple(sorted(value.items())) if isinstance(value, dict)
        else value
        for value in row
    )  # fmt: skip


@given(stored=st.lists(records(), min_size=1, max_size=3))
@settings(max_examples=30)
def test_every_stored_value_is_found_through_its_filter(
    engine: Engine, stored: list[Record]
) -> None:
    """Message, service, attribute keys and values: the text of the filter for each finds it."""
    engine.fill(stored)
    for number, record in enumerate(stored):
        wanted = [
            field_equals("message", record.message),
            field_equals("service", record.service),
            field_equals("level", record.level),
            field_equals("event_name", record.event_name),
            ast.text_filter(record.message),
        ]
        for key, value in record.attributes.items():
            wanted.append(field_equals(attribute(key), value))
            wanted.append(ast.FieldFilter(attribute(key), ast.Exists()))
        for each in wanted:
            query = parse(str(each))
            assert query.filter == each
            assert number in found_by_engine(engine, query.filter), str(each)
            assert predicate(query.filter)(record), str(each)


@given(values=st.lists(any_text(), min_size=1, max_size=20))
@example(values=["'", "\\", "\\N", "\\'", "a\nb", "\t", "\0", "{q0:String}", "%s", "é", "", "😀"])
def test_bound_text_survives_exactly(engine: Engine, values: list[str]) -> None:
    """A bound parameter reaches the engine byte for byte, whatever it holds."""
    params = Params()
    sql = ", ".join(f"hex({params.text(value)})" for value in values)
    (row,) = engine.rows(f"SELECT {sql}", params)
    assert [bytes.fromhex(cell).decode() for cell in row] == values


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_bound_numbers_survive_exactly(engine: Engine, values: list[float]) -> None:
    """A bound float is the same float in the engine."""
    params = Params()
    sql = ", ".join(f"toString(reinterpretAsUInt64({params.add(v, 'Float64')}))" for v in values)
    (row,) = engine.rows(f"SELECT {sql}", params)
    assert [int(cell) for cell in row] == [_bits(value) for value in values]


def _bits(value: float) -> int:
    import struct

    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


number_like = st.one_of(
    st.text("0123456789+-.eE xnaiNf_,\0 \n", max_size=12),
    st.floats().map(repr),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    any_text(5),
)


@given(values=st.lists(number_like, min_size=1, max_size=20))
@example(values=["inf", "-Infinity", "nan", "1e400", "+.5", "5.", ".", "+", "1e", "0x1", "1e-5000"])
def test_the_same_texts_count_as_the_same_numbers(engine: Engine, values: list[str]) -> None:
    """`number_of` and the engine's reading of numbers agree on every text."""
    params = Params()
    read = (f"toFloat64OrNull({params.text(value)})" for value in values)
    sql = ", ".join(f"if(isFinite({number}), {number}, NULL)" for number in read)
    (row,) = engine.rows(f"SELECT {sql}", params)
    assert list(row) == [number_of(value) for value in values]


@given(values=st.lists(any_text(), min_size=1, max_size=20))
@example(values=["foo_bar-baz", "café x", "a\xa0b", "user@example.com", "ÀB日本"])
def test_text_splits_into_the_same_tokens(engine: Engine, values: list[str]) -> None:
    """`tokens` splits any text as the engine's token index does."""
    params = Params()
    sql = ", ".join(f"tokens({params.text(value)})" for value in values)
    (row,) = engine.rows(f"SELECT {sql}", params)
    assert [list(cell) for cell in row] == [tokens(value) for value in values]


@given(pattern=patterns(), values=st.lists(any_text(8), min_size=1, max_size=10))
@settings(max_examples=40)
def test_regexes_match_the_same_text(engine: Engine, pattern: str, values: list[str]) -> None:
    """The same patterns match the same text, newlines and NUL included."""
    stored = [Record(timestamp_ns=i, message=value) for i, value in enumerate(values)]
    engine.fill(stored)
    wanted = ast.Regex(pattern)
    assert found_by_engine(engine, wanted) == found_by_predicate(stored, wanted)


def test_results_of_pipes_come_in_the_promised_order(engine: Engine) -> None:
    """Groups ascending, sort as asked with numbers as numbers, top by count."""
    stored = [
        Record(timestamp_ns=60_000_000_000 * i, service=service, attributes=attributes)
        for i, (service, attributes) in enumerate(
            [
                ("web", {"ms": "9"}), ("api", {"ms": "10"}), ("api", {"ms": "fast"}),
                ("api", {}), ("db", {"ms": "10"}),
            ]
        )
    ]  # fmt: skip
    engine.fill(stored)
    asked = {
        "* | stats count() n by service": [("api", 3), ("db", 1), ("web", 1)],
        "* | stats count() n by service | sort -n": [("api", 3), ("db", 1), ("web", 1)],
        "* | top 2 ms": [("10", 2), ("9", 1)],
        "* | fields ms | sort ms": [("9",), ("10",), ("10",), ("fast",), (None,)],
        "* | sort -ms | fields ms | limit 2": [("10",), ("10",)],
        "* | stats p50(ms), max(ms) m, count(ms)": [(10.0, 10.0, 4)],
        "* | limit 2 | fields service": [("db",), ("api",)],
        "* | stats count() by bin(2m)": [
            ("1970-01-01T00:00:00Z", 2),
            ("1970-01-01T00:02:00Z", 2),
            ("1970-01-01T00:04:00Z", 1),
        ],
        "ms:* | stats max(timestamp) t": [("1970-01-01T00:04:00Z",)],
        "nothing | stats count(), sum(ms)": [(0, None)],
        "nothing | stats count() by service": [],
        "nothing | stats min(timestamp), max(severity_number)": [(None, None)],
        "nothing | stats count() n by service | stats min(n), sum(n), p50(n)": [(None, None, None)],
        "* | stats count() n by service | stats count() by n": [(1, 2), (3, 1)],
    }
    for text, expected in asked.items():
        query = parse(text)
        params = Params()
        compiled = compile_query(query, params, table=engine.table)
        assert compiled.table(engine.rows(compiled.sql, params)).rows == expected, text
        assert evaluate(query, stored).rows == expected, text


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("needle", "body"),
        ('"needle in"', "body"),
        ("/api/needle", "body"),
        ("trace_id:needle", "trace_id"),
        ("service:needle", "service"),
        ("attributes.needle:x", "log_key"),
        ("attributes.x:needle", "log_value"),
    ],
)
def test_filters_use_the_skip_indexes(engine: Engine, text: str, index: str) -> None:
    """Filters that can skip data do, by the index made for them."""
    engine.fill([Record(timestamp_ns=i, message=f"hay {i}") for i in range(64)])
    params = Params()
    where = compile_filter(parse(text).filter, params)
    sql = f"EXPLAIN indexes = 1 SELECT RowNumber FROM {engine.table} WHERE {where}"
    plan = "\n".join(line for (line,) in engine.rows(sql, params))
    used = plan.split(f"Name: {index}\n")
    assert len(used) == 2, plan
    assert "Granules: 0/" in used[1].split("Name:")[0], plan


def test_infinite_sums_are_absent(engine: Engine) -> None:
    """A sum beyond 64-bit floats is no number rather than one that JSON cannot say."""
    stored = [Record(timestamp_ns=i, attributes={"x": "1e308"}) for i in range(3)]
    engine.fill(stored)
    query = parse("* | stats sum(x), max(x)")
    params = Params()
    compiled = compile_query(query, params, table=engine.table)
    assert compiled.table(engine.rows(compiled.sql, params)).rows == [(None, 1e308)]
    assert evaluate(query, stored).rows == [(None, 1e308)]
    assert math.isinf(sum([1e308] * 3))


quantity_like = st.one_of(
    st.from_regex(
        r"[+-]?([0-9.]{1,4} ?(d|h|m|s|ms|us|µs|ns|[kKMG]?i?[bB])){1,3}\n?", fullmatch=True
    ),
    st.text("0123456789.+-e dhmsunµkKiIbBMGTP", max_size=8),
    number_like,
)


@given(
    values=st.lists(quantity_like, min_size=1, max_size=20),
    bound=st.sampled_from((">-1d", ">=0s", "<1m", ">=1kB", "<2MiB", ">-1B", "<=0.1ms", ">1e290d")),
    key=st.sampled_from(("took", "took_ms", "size_bytes", "sizeKb")),
)
@example(values=["1.5s", "1m30s", "90000", "1e400s", "-", "", "٣s", "1\n"], bound="<1m", key="x_ms")
def test_the_same_texts_are_the_same_quantities(
    engine: Engine, values: list[str], bound: str, key: str
) -> None:
    """Comparisons with a unit select the same texts in ClickHouse and in Python."""
    stored = [Record(timestamp_ns=i, attributes={key: value}) for i, value in enumerate(values)]
    engine.fill(stored)
    wanted = parse(f"{key}:{bound}").filter
    assert found_by_engine(engine, wanted) == found_by_predicate(stored, wanted)
