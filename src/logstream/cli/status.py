"""``logstream status``: how the pipeline is doing, on one screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from logstream.cli.api import ask
from logstream.cli.options import api_key_option, client_settings, dashboard
from logstream.cli.terminal import neutral, neutral_json
from logstream.settings import Resolved, show

__all__ = ["command", "describe"]

_NOTHING = "—"


@click.command(short_help="Show how the pipeline is doing.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--url", default="", help="The dashboard's URL.")
@api_key_option
@client_settings()
def command(output: str, url: str, api_key: str, resolved: Resolved, given: dict[str, str]) -> None:
    """Show how the pipeline is doing: what came in, what waits, what is stored."""
    connection = dashboard(url, api_key, resolved)
    found = ask(connection, "pipeline")
    if output == "json":
        click.echo(neutral_json(json.dumps(found, indent=2, ensure_ascii=False)))
        return
    for name, value in describe(found):
        click.echo(neutral(f"{name:<10} {value}"))


def describe(pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lines of (what, how it is) for the answer of ``/api/v1/pipeline``."""
    rates = {stage["name"]: _rate(stage["records_per_s"]) for stage in pipeline["stages"]}
    yield "flow", " → ".join(f"{name} {rate}" for name, rate in rates.items())
    queue = pipeline["queue"]
    if queue:
        full = f"{_size(queue['bytes'])} of {_size(queue['capacity_bytes'])} ({queue['fill']:.1%})"
        oldest = f"oldest {_duration(queue['oldest_age_s'])}; {queue['durability']}"
        yield "queue", f"{queue['records']:,} records, {full}, {oldest}"
    batch = pipeline["batch"]
    took = f"p50 {_duration(batch['insert_p50_s'])} p95 {_duration(batch['insert_p95_s'])}"
    saved = f"writes saved {_share(batch['writes_saved'])}"
    yield "batches", f"p50 {_count(batch['size_p50'])} records, insert {took}, {saved}"
    storage = pipeline["storage"]
    if storage:
        size = f"{_size(storage['bytes'])} ({_count(storage['bytes_per_record'])} B each)"
        kept = (
            f"{_size(storage['disk_free_bytes'])} free, kept {show('_s', storage['retention_s'])}"
        )
        yield "storage", f"{storage['records']:,} records, {size}, {kept}"
    for name, key in (("rejected", "rejected"), ("retried", "retried"), ("dead", "dead_lettered")):
        if pipeline[key]:
            yield name, _causes(pipeline[key])
    for warning in pipeline["warnings"]:
        yield warning["severity"], f"{warning['message']}: {warning['change']}"


def _causes(causes: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{cause['total']:,} {cause['reason']}" for cause in causes)


def _rate(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:,.0f}/s"


def _count(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2%}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return _NOTHING
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _size(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
