"""Fixtures: the ingestion API, started."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.ingest.harness import Service, Start, running


@pytest.fixture
def start() -> Start:
    """Starts the API with changed settings: ``async with start(api_keys=("k",)) as service``."""
    return running


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """The API with its default settings."""
    async with running() as started:
        yield started
