"""What the store's table costs, by variant: insert, merges, bytes and queries.

Each variant runs in a process of its own on a fresh folder; with ``--rounds`` they take turns, so
that a noisy machine disturbs all alike. Compare rows of one run only.

    python -m benchmarks.store_variants CORPUS.arrow [--rows N] [--rounds N] [--queries] VARIANT…

CORPUS.arrow is an Arrow IPC file with the columns of `logstream.record` (any subset). A variant
is ``name`` or ``name:key=value:…`` over `BASE`; see `VARIANTS` for what the keys are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

COLUMNS = {
    "RecordId": "UInt64 CODEC(DoubleDelta, LZ4)",
    "Timestamp": "DateTime64(9, 'UTC') CODEC(Delta(8), {zstd})",
    "TraceId": "String CODEC({zstd})",
    "SpanId": "String CODEC({zstd})",
    "TraceFlags": "UInt8 CODEC({zstd})",
    "SeverityText": "LowCardinality(String) CODEC({zstd})",
    "SeverityNumber": "UInt8 CODEC({zstd})",
    "ServiceName": "LowCardinality(String) CODEC({zstd})",
    "Body": "String CODEC({zstd})",
    "ResourceSchemaUrl": "LowCardinality(String) CODEC({zstd})",
    "ResourceAttributes": "Map(LowCardinality(String), String) CODEC({zstd})",
    "ScopeSchemaUrl": "LowCardinality(String) CODEC({zstd})",
    "ScopeName": "String CODEC({zstd})",
    "ScopeVersion": "LowCardinality(String) CODEC({zstd})",
    "ScopeAttributes": "Map(LowCardinality(String), String) CODEC({zstd})",
    "LogAttributes": "Map(LowCardinality(String), String) CODEC({zstd})",
    "EventName": "String CODEC({zstd})",
}
INDEXES = {
    "id": "RecordId TYPE minmax GRANULARITY 1",
    "body": "lower(Body) TYPE tokenbf_v1(8192, 3, 0) GRANULARITY 1",
    "trace": "TraceId TYPE bloom_filter(0.001) GRANULARITY 1",
    "rkeys": "mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
    "rvalues": "mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
    "skeys": "mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
    "svalues": "mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
    "keys": "mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
    "values": "mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1",
}
TABLE_SETTINGS = {
    "fsync_after_insert": 1,
    "fsync_part_directory": 1,
    "ttl_only_drop_parts": 1,
    "non_replicated_deduplication_window": 10000,
    "auto_statistics_types": "''",
    "min_parts_to_merge_at_once": 32,
    "min_bytes_for_wide_part": 128 << 20,
}
ONE_BLOCK = {
    "max_insert_block_size": 1 << 20,
    "min_insert_block_size_rows": 1 << 20,
    "min_insert_block_size_bytes": 0,
}
BASE: dict[str, Any] = {"block": 200_000, "order": "Timestamp", "zstd": "ZSTD(1)", "dict": 2}
"""Keys: ``block`` rows per insert, ``order``, ``zstd`` the codec, ``dict`` 1 = dictionary-encoded
input, ``noindex=a+b`` indexes left out, ``index.NAME=…`` another definition, ``column.NAME=…``,
``projection.NAME=…`` a SELECT, ``set.NAME=…`` a table setting, ``insert.NAME=…`` a query setting of
the insert, ``chdb.NAME=…`` an engine option, ``path=driver`` the driver's own insert."""


def table_sql(spec: dict[str, Any]) -> str:
    columns = {**COLUMNS, **{k[7:]: v for k, v in spec.items() if k.startswith("column.")}}
    indexes = {**INDEXES, **{k[6:]: v for k, v in spec.items() if k.startswith("index.")}}
    for name in str(spec.get("noindex", "")).split("+"):
        indexes = {} if name == "all" else {k: v for k, v in indexes.items() if k != name}
    settings = {**TABLE_SETTINGS, **{k[4:]: v for k, v in spec.items() if k.startswith("set.")}}
    body = [f"{k} {v.format(zstd=spec['zstd'])}" for k, v in columns.items() if v]
    body += [f"INDEX idx_{k} {v}" for k, v in indexes.items() if v]
    body += [f"PROJECTION {k[11:]} ({v})" for k, v in spec.items() if k.startswith("projection.")]
    return (
        f"CREATE TABLE logs.l ({', '.join(body)}) ENGINE = MergeTree "
        f"PARTITION BY toDate(Timestamp) ORDER BY ({spec['order']}) "
        f"SETTINGS {', '.join(f'{k}={v}' for k, v in settings.items() if v != '-')}"
    )


def blocks(path: str, rows: int, spec: dict[str, Any]) -> Any:
    """Tables of ``block`` rows, in order, until ``rows`` are given; ids are added."""
    import pyarrow.compute as pc

    source = pa.ipc.open_file(pa.memory_map(path))
    size, done, batch, waiting = int(spec["block"]), 0, 0, 0
    parts: list[pa.RecordBatch] = []
    shift = 0
    while done < rows:
        part = source.get_batch(batch % source.num_record_batches)
        if batch and batch % source.num_record_batches == 0:
            shift += 111_000_000_000
        batch += 1
        if shift:
            at = pc.add(part["Timestamp"].cast(pa.int64()), shift).cast(part["Timestamp"].type)
            part = part.set_column(0, part.schema.field(0), at)
        parts.append(part)
        waiting += part.num_rows
        if waiting >= size:
            whole = pa.concat_batches(parts)
            for start in range(0, whole.num_rows - size + 1, size):
                yield encode(whole.slice(start, size), done, spec)
                done += size
            left = whole.num_rows % size
            parts = [whole.slice(whole.num_rows - left)] if left else []
            waiting = left


def encode(batch: pa.RecordBatch, first: int, spec: dict[str, Any]) -> pa.Table:
    table = pa.Table.from_batches([batch])
    if int(spec["dict"]):
        for name in ("SeverityText", "ServiceName"):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, table[name].combine_chunks().dictionary_encode())
        at = table.schema.get_field_index("LogAttributes")
        maps = table["LogAttributes"].combine_chunks()
        keys = maps.keys.dictionary_encode() if int(spec["dict"]) > 1 else maps.keys
        table = table.set_column(
            at, "LogAttributes", pa.MapArray.from_arrays(maps.offsets, keys, maps.items)
        )
    ids = pa.array(range(first, first + len(batch)), pa.uint64())
    return table.append_column("RecordId", ids)


def insert_from_memory(client: Any, table: pa.Table, settings: dict[str, Any]) -> None:
    """As the store does it: the engine reads the block from a memory file."""
    fd = os.memfd_create("bench")
    path = f"/proc/self/fd/{fd}"
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    pairs = ", ".join(f"{k} = '{v}'" for k, v in settings.items())
    client.command(
        f"INSERT INTO logs.l ({', '.join(table.schema.names)}) FROM INFILE '{path}' "
        f"SETTINGS {pairs} FORMAT Arrow"
    )
    os.close(fd)


def thread_cpu() -> dict[str, float]:
    """CPU seconds by thread name."""
    out: dict[str, float] = {}
    tick = os.sysconf("SC_CLK_TCK")
    for task in Path("/proc/self/task").iterdir():
        try:
            text = (task / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        out[name] = out.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / tick
    return out


QUERIES = {
    "newest 50": "SELECT * FROM logs.l ORDER BY Timestamp DESC, RecordId DESC LIMIT 50",
    "newest 50 error": "SELECT * FROM logs.l WHERE SeverityText='error' "
    "ORDER BY Timestamp DESC, RecordId DESC LIMIT 50",
    "rare word+attr": "SELECT * FROM logs.l WHERE hasToken(lower(Body),'nullpointerexception') "
    "AND LogAttributes['host']='node-07' AND LogAttributes['status']='500' "
    "ORDER BY Timestamp DESC, RecordId DESC LIMIT 50",
    "trace id": "SELECT * FROM logs.l WHERE TraceId='{trace}' ORDER BY Timestamp DESC LIMIT 50",
    "word count": "SELECT count() FROM logs.l WHERE hasToken(lower(Body),'timeout')",
    "phrase count": "SELECT count() FROM logs.l WHERE hasToken(lower(Body),'gateway') AND "
    "hasToken(lower(Body),'timeout') AND position(lower(Body),'gateway timeout')>0",
    "regex count": "SELECT count() FROM logs.l WHERE match(Body,'order [0-9]*77$')",
    "errors by service": "SELECT ServiceName,count() FROM logs.l WHERE SeverityText='error' "
    "GROUP BY ServiceName",
    "histogram": "SELECT toInt64(intDiv(toUnixTimestamp64Nano(Timestamp),10000000000)) t,"
    "SeverityText,count() FROM logs.l GROUP BY t,SeverityText",
}


def run(path: str, rows: int, spec: dict[str, Any], queries: bool) -> dict[str, Any]:
    import clickhouse_connect

    folder = tempfile.mkdtemp(prefix="store-variant-", dir=os.environ.get("BENCH_TMP"))
    options = {k[5:]: v for k, v in spec.items() if k.startswith("chdb.")}
    client = clickhouse_connect.get_client(
        interface="chdb", path=folder, chdb_options=options or None
    )
    try:
        client.command("CREATE DATABASE logs ENGINE=Atomic")
        client.command(table_sql(spec))
        insert = {k[7:]: v for k, v in spec.items() if k.startswith("insert.")}
        cpu, merges0, wall, sys_s = 0.0, thread_cpu(), 0.0, 0.0
        for n, table in enumerate(blocks(path, rows, spec)):
            start, clock, sys0 = time.process_time(), time.perf_counter(), os.times().system
            settings = {"insert_deduplication_token": f"g{n}", **ONE_BLOCK, **insert}
            if spec.get("path") == "driver":
                client.insert_arrow("l", table, database="logs", settings=settings)
            else:
                insert_from_memory(client, table, settings)
            cpu += time.process_time() - start
            wall += time.perf_counter() - clock
            sys_s += os.times().system - sys0
        before_settle = time.process_time()
        quiet = 0
        while quiet < 5:
            time.sleep(0.5)
            busy = client.query("SELECT count() FROM system.merges").result_rows[0][0]
            quiet = 0 if busy else quiet + 1
        cpu += time.process_time() - before_settle
        merge_s = sum(
            v - merges0.get(k, 0) for k, v in thread_cpu().items() if re.match("Merge|BgSch", k)
        )
        size, parts, total = client.query(
            "SELECT sum(bytes_on_disk), count(), sum(rows) FROM system.parts "
            "WHERE active AND database='logs'"
        ).result_rows[0]
        out: dict[str, Any] = {
            "total": round(cpu / rows * 1e6, 2),
            "merges": round(merge_s / rows * 1e6, 2),
            "sys": round(sys_s / rows * 1e6, 2),
            "wall": round(wall / rows * 1e6, 2),
            "B/rec": round(size / rows, 1),
            "parts": parts,
            "rows_ok": total == rows,
            "peak MB": int(
                re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]  # type: ignore[index]
            )
            // 1024,
        }
        if queries:
            trace = client.command(
                "SELECT TraceId FROM logs.l WHERE LogAttributes['host']='node-07' LIMIT 1"
            )
            for name, sql in QUERIES.items():
                times = []
                for _ in range(4):
                    start = time.perf_counter()
                    client.query(sql.replace("{trace}", str(trace)))
                    times.append(time.perf_counter() - start)
                out[name] = round(min(times) * 1e3, 1)
        if os.environ.get("BENCH_COLUMNS"):
            out["columns"] = client.query(
                f"SELECT column, round(sum(column_bytes_on_disk)/{rows:d},2) b "
                "FROM system.parts_columns "
                "WHERE active AND database='logs' GROUP BY 1 ORDER BY b DESC"
            ).result_rows
            out["threads"] = {k: v for k, v in thread_cpu().items() if v > 0.05}
        return out
    finally:
        client.close()
        shutil.rmtree(folder, ignore_errors=True)


def parse_variant(text: str) -> dict[str, Any]:
    name, *pairs = text.split(":")
    pairs = [pair for pair in pairs if pair]
    return {**BASE, "name": name, **dict(pair.split("=", 1) for pair in pairs)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--queries", action="store_true")
    parser.add_argument("--child", action="store_true")
    parser.add_argument("variants", nargs="+")
    args = parser.parse_args()
    if args.child:
        print(
            json.dumps(run(args.corpus, args.rows, parse_variant(args.variants[0]), args.queries))
        )
        return
    for _ in range(args.rounds):
        for variant in args.variants:
            command = [sys.executable, "-m", "benchmarks.store_variants", args.corpus, "--child"]
            command += ["--rows", str(args.rows), *(["--queries"] if args.queries else []), variant]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            answer = done.stdout.strip() or done.stderr.strip()[-500:]
            print(f"{variant:60s} {answer}", flush=True)


if __name__ == "__main__":
    main()
