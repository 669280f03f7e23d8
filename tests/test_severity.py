"""Levels as people send them."""

from __future__ import annotations

import pytest

from logstream.severity import (
    LEVEL_NUMBERS,
    LEVELS,
    level_of_number,
    severity_of,
    severity_of_text,
)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("TRACE", "trace"),
        ("Debug", "debug"),
        (" info ", "info"),
        ("Information", "info"),
        ("WARNING", "warn"),
        ("wrn", "warn"),
        ("Err", "error"),
        ("SEVERE", "error"),
        ("CRITICAL", "fatal"),
        ("panic", "fatal"),
        ("ERROR2", "error"),
        ("3", "error"),
        ("17", "error"),
    ],
)
def test_text_in_any_case_names_a_level(text: str, level: str) -> None:
    """Every spelling in use maps to one of six levels."""
    number = severity_of_text(text)
    assert number is not None
    assert level_of_number(number) == level


@pytest.mark.parametrize("text", ["", "audit", "99", "-1", "²", "infos"])
def test_text_that_names_no_level_is_none(text: str) -> None:
    """An unknown word is left to the caller, never guessed."""
    assert severity_of_text(text) is None


def test_finer_names_keep_their_order() -> None:
    """Syslog's eight names sort as syslog sorts them."""
    names = ["debug", "info", "notice", "warning", "err", "crit", "alert", "emerg"]
    numbers = [severity_of_text(name) for name in names]
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    assert len(set(numbers)) == len(names)


def test_syslog_numbers_run_the_other_way() -> None:
    """0 is the worst of syslog, and agrees with its name."""
    names = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    assert [severity_of(code) for code in range(8)] == [severity_of_text(name) for name in names]


def test_opentelemetry_numbers_are_kept() -> None:
    """8–24 are OpenTelemetry's anywhere, 0–24 where the field says so."""
    assert [severity_of(number) for number in range(8, 25)] == list(range(8, 25))
    assert [severity_of(number, otel=True) for number in range(25)] == list(range(25))
    assert severity_of(25, otel=True) is None


def test_tens_are_pinos() -> None:
    """30, 40, 50, 60 are info, warn, error, fatal; other large numbers mean nothing."""
    levels = [level_of_number(severity_of(number) or 0) for number in (30, 40, 50, 60)]
    assert levels == ["info", "warn", "error", "fatal"]
    assert severity_of(70) is None
    assert severity_of(-1) is None


def test_each_level_covers_four_numbers() -> None:
    """The names and numbers are OpenTelemetry's."""
    assert [LEVEL_NUMBERS[name] for name in LEVELS] == [1, 5, 9, 13, 17, 21]
    assert level_of_number(0) == ""
    assert [level_of_number(number) for number in range(17, 21)] == ["error"] * 4
