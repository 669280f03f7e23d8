"""The result table: one row per bar, with what was measured and whether the bar was met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

Verdict = Literal["met", "missed", "skipped", "failed", "note"]
_STYLES: dict[Verdict, str] = {
    "met": "green",
    "missed": "red",
    "skipped": "yellow",
    "failed": "bold red",
    "note": "dim",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `raw` holds every figure behind it, for the JSON."""

    area: str
    what: str
    bar: str
    measured: str
    verdict: Verdict
    raw: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def at_least(area: str, what: str, value: float, bar: float, unit: str, **raw: Any) -> Row:
    """A row whose bar is a lower limit; `unit` follows the figures as it is."""
    verdict: Verdict = "met" if value >= bar else "missed"
    return Row(area, what, f"≥ {_say(bar)}{unit}", f"{_say(value)}{unit}", verdict, raw)


def at_most(area: str, what: str, value: float, bar: float, unit: str, **raw: Any) -> Row:
    """A row whose bar is an upper limit."""
    verdict: Verdict = "met" if value <= bar else "missed"
    return Row(area, what, f"≤ {_say(bar)}{unit}", f"{_say(value)}{unit}", verdict, raw)


def note(area: str, what: str, measured: str, **raw: Any) -> Row:
    """A figure without a bar."""
    return Row(area, what, "", measured, "note", raw)


def skipped(area: str, what: str, reason: str) -> Row:
    """A row that could not be measured here."""
    return Row(area, what, "", reason, "skipped")


def _say(value: float) -> str:
    """Four significant digits, thousands apart."""
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.4g}"


def render(rows: Sequence[Row], console: Console) -> None:
    """Print the rows as one table."""
    table = Table(show_lines=False, header_style="bold")
    for column in ("area", "what", "bar", "measured", ""):
        table.add_column(column, overflow="fold")
    previous = ""
    for row in rows:
        if previous and row.area != previous:
            table.add_section()
        style = _STYLES[row.verdict]
        cells = [row.area if row.area != previous else "", row.what, row.bar, row.measured]
        verdict = "" if row.verdict == "note" else row.verdict
        table.add_row(*(escape(cell) for cell in cells), f"[{style}]{verdict}[/]")
        previous = row.area
    console.print(table)
