"""Exports: whole, in four formats, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence

import httpx
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.dashboard.export_formats import CSV_COLUMNS, open_format
from logstream.dashboard.services import Services
from logstream.record import Record, batch_of, records_of
from logstream.testing.query_strategies import any_text
from tests.dashboard.support import NOW_NS, assert_error, store_records

EXPORT = "/api/v1/export"


async def test_ndjson_is_whole_and_in_order(client: httpx.AsyncClient, services: Services) -> None:
    """Every matching record is one line, oldest first, also beyond one slice."""
    records = [Record(timestamp_ns=NOW_NS - 5_000 + i, message=str(i)) for i in range(3_500)]
    await store_records(services.store, records)
    response = await client.get(EXPORT)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["content-disposition"].startswith('attachment; filename="logs-')
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["message"] for line in lines] == [str(i) for i in range(3_500)]


async def test_csv_has_a_header(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """CSV has the usual columns, attributes as JSON."""
    response = await client.get(EXPORT, params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [row["message"] for row in rows] == [record.message for record in stored]
    assert json.loads(rows[2]["attributes"]) == dict(stored[2].attributes)


async def test_chosen_columns(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """columns= writes just these fields, in each format."""
    params = {"columns": "timestamp,service,status", "query": "service:api"}
    as_csv = (await client.get(EXPORT, params={**params, "format": "csv"})).text
    assert as_csv.splitlines()[0] == "timestamp,service,status"
    as_ndjson = (await client.get(EXPORT, params=params)).text.splitlines()
    assert json.loads(as_ndjson[0])["status"] == "200"
    as_parquet = (await client.get(EXPORT, params={**params, "format": "parquet"})).content
    table = pq.read_table(io.BytesIO(as_parquet))
    assert table.column_names == ["timestamp", "service", "status"]
    assert table.num_rows == 3


async def test_parquet_reads_back(client: httpx.AsyncClient, stored: Sequence[Record]) -> None:
    """A Parquet export holds the very records."""
    response = await client.get(EXPORT, params={"format": "parquet"})
    table = pq.read_table(io.BytesIO(response.content))
    (batch,) = table.combine_chunks().to_batches()
    assert records_of(batch) == list(stored)


async def test_text_is_made_to_be_read(client: httpx.AsyncClient, services: Services) -> None:
    """A record is its time, level, service and message, and nothing in it steers a terminal."""
    records = [
        Record(timestamp_ns=1_000_000_000, level="info", service="api", message="a\n\tb"),
        Record(timestamp_ns=2_000_000_000, service="x\ny", message="\x1b[31mred\x07\r"),
    ]
    await store_records(services.store, records)
    response = await client.get(EXPORT, params={"format": "txt", "from": "0", "to": "now"})
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text == (
        "1970-01-01T00:00:01Z INFO  api a\n\tb\n"
        "1970-01-01T00:00:02Z -     x\\ny \\x1b[31mred\\x07\\r\n"
    )
    chosen = {"format": "txt", "from": "0", "to": "now", "columns": "service,status"}
    assert (await client.get(EXPORT, params=chosen)).text == "service\tstatus\napi\t\nx\\ny\t\n"


@pytest.mark.parametrize("format", ["ndjson", "csv", "txt", "parquet"])
@pytest.mark.parametrize("columns", ["", "service"])
async def test_nothing_matches(client: httpx.AsyncClient, format: str, columns: str) -> None:
    """An export of nothing is an empty file of its kind, not an error."""
    params = {"format": format, "columns": columns}
    response = await client.get(EXPORT, params=params)
    assert response.status_code == 200
    if format == "parquet":
        assert pq.read_table(io.BytesIO(response.content)).num_rows == 0
    else:
        header = format == "csv" or (format == "txt" and bool(columns))
        assert len(response.text.splitlines()) == header


@pytest.mark.parametrize("format", ["ndjson", "csv", "txt", "parquet"])
async def test_a_table_can_be_exported(
    client: httpx.AsyncClient, stored: Sequence[Record], format: str
) -> None:
    """A query with pipes exports its table."""
    params = {"query": "* | stats count() as n by service | sort -n", "format": format}
    content = (await client.get(EXPORT, params=params)).content
    if format == "ndjson":
        assert json.loads(content.splitlines()[0]) == {"service": "api", "n": 3}
    elif format == "csv":
        assert content.splitlines()[:2] == [b"service,n", b"api,3"]
    elif format == "txt":
        assert content.splitlines()[:2] == [b"service\tn", b"api\t3"]
    else:
        assert pq.read_table(io.BytesIO(content)).column("n").to_pylist() == ["3", "2", "1"]


async def test_unknown_formats(client: httpx.AsyncClient) -> None:
    """A format nobody writes is a 400."""
    assert_error(await client.get(EXPORT, params={"format": "xlsx"}), 400, "bad_request", "format")


@given(st.lists(any_text(10), max_size=5))
def test_no_csv_cell_is_a_formula(messages: list[str]) -> None:
    """No cell starts with what a spreadsheet runs; all other text reads back as it was."""
    writer = open_format("csv", ["message", "service"])
    records = [Record(timestamp_ns=1, message=m, service=f"={m}") for m in messages]
    text = (writer.begin() + writer.records(batch_of(records)) + writer.end()).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(rows) == len(messages)
    for row, message in zip(rows, messages, strict=True):
        shown = message.replace("\0", "\\0")
        assert row[0] == (f"'{shown}" if shown[:1] in tuple("=+-@\t\r") and shown else shown)
        assert row[1] == f"'={shown}"


def _fleet(count: int) -> list[Record]:
    """Records as applications write them: few services, many ids."""
    chance = random.Random(7)
    return [
        Record(
            timestamp_ns=NOW_NS - (count - i) * 1_000_000 + chance.randrange(1_000_000),
            level=chance.choice(("info", "info", "info", "warn", "error")),
            severity_number=9,
            service=chance.choice(("gateway", "checkout", "payment", "auth")),
            message=f"GET /api/{chance.randrange(10_000)} 200 in {chance.randrange(90)} ms",
            trace_id=f"{chance.getrandbits(128):032x}",
            attributes={"status": "200", "user": f"u-{chance.randrange(100_000)}"},
            resource={"host.name": f"node-{chance.randrange(5)}"},
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("format", "columns", "count"),
    [
        ("ndjson", "", 6_000),
        ("csv", "timestamp,service,message", 6_000),
        ("txt", "", 6_000),
        ("parquet", "timestamp,service,message", 6_000),
        ("parquet", "", 24_000),
    ],
)
async def test_the_size_is_about_that_of_the_file(
    client: httpx.AsyncClient, services: Services, format: str, columns: str, count: int
) -> None:
    """The newest records tell the size of all within a tenth, compressed or not."""
    await store_records(services.store, _fleet(count))
    params = {"format": format, "columns": columns}
    answer = await client.get(f"{EXPORT}/size", params={**params, "records": count})
    assert answer.json()["sampled"] == 2_000
    file = (await client.get(EXPORT, params=params)).content
    assert answer.json()["bytes"] == pytest.approx(len(file), rel=0.1)


async def test_the_size_of_little_is_exact(
    client: httpx.AsyncClient, stored: Sequence[Record]
) -> None:
    """What fits the sample is measured; of nothing there is nothing to judge by, nor of a table."""
    for name in ("ndjson", "parquet"):
        params = {"format": name, "records": str(len(stored))}
        size = (await client.get(f"{EXPORT}/size", params=params)).json()["bytes"]
        assert size == len((await client.get(EXPORT, params={"format": name})).content)
    nothing = {"query": "nosuchword", "records": "0"}
    answer = await client.get(f"{EXPORT}/size", params=nothing)
    assert answer.json() == {"bytes": None, "sampled": 0}
    table = {"query": "* | stats count()", "records": "1"}
    assert_error(await client.get(f"{EXPORT}/size", params=table), 400, "bad_request")
    endless = {"records": "9" * 400}
    assert_error(await client.get(f"{EXPORT}/size", params=endless), 400, "bad_request", "records")
