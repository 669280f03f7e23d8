"""``logstream status``: how the pipeline is doing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from logstream.cli.api import ask
from logstream.cli.options import api_key_option, client_settings, dashboard
from logstream.cli.terminal import neutral, neutral_json
from logstream.settings import Resolved

__all__ = ["command"]


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
    lines = list(_flat(found))
    wide = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        click.echo(f"{name:<{wide}}  {value}")


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and text of every member but long lists, which JSON output shows."""
    for key, item in value.items():
        name = neutral(f"{prefix}{key}")
        if isinstance(item, dict):
            yield from _flat(item, f"{name}.")
        elif isinstance(item, list):
            if all(isinstance(each, str) for each in item):
                yield from ((name, neutral(each)) for each in item)
        else:
            yield name, neutral(f"{item:,}" if isinstance(item, int) else str(item))
