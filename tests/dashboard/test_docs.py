"""The API's documentation: its examples run, and it leaves no route out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from logstream.record import Record

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = [
    line.removeprefix("GET ")
    for block in re.findall(r"```http\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]


def test_there_are_examples() -> None:
    """The examples are found, so that running none of them is no success."""
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("url", [each for each in EXAMPLES if "/tail" not in each])
async def test_examples_run(client: httpx.AsyncClient, stored: Sequence[Record], url: str) -> None:
    """Each request in the documentation is answered."""
    path, _, query = url.partition("?")
    params = dict(pair.split("=", 1) for pair in query.split("&")) if query else {}
    response = await client.get(path, params=params)
    assert response.status_code == 200, response.text


async def test_every_route_is_documented(client: httpx.AsyncClient) -> None:
    """Each path of the OpenAPI description is named in the text."""
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    assert [path for path in paths if path not in TEXT] == []


async def test_every_search_parameter_is_documented(client: httpx.AsyncClient) -> None:
    """The table of search parameters leaves none out."""
    document = (await client.get("/api/openapi.json")).json()
    parameters = document["paths"]["/api/v1/search"]["get"]["parameters"]
    assert [each["name"] for each in parameters if f"`{each['name']}`" not in TEXT] == []
