"""What the query tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.query.engine import Engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine, closed after each module: a process can have only one folder open at a time."""
    engine = Engine(str(tmp_path_factory.mktemp("chdb")))
    yield engine
    engine.close()
