"""The description that the front end's types are made from is the application's own."""

from __future__ import annotations

from pathlib import Path

from logstream.dashboard.describe import document

KEPT = Path(__file__).parents[2] / "frontend" / "openapi.json"


def test_the_kept_description_is_current() -> None:
    """``python -m logstream.dashboard.describe > frontend/openapi.json`` would change nothing."""
    assert KEPT.read_bytes() == document()
