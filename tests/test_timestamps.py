"""Times as people write them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.timestamps import (
    MAX_TIMESTAMP_NS,
    MIN_TIMESTAMP_NS,
    duration_ns,
    epoch_ns,
    format_timestamp,
    parse_time,
    parse_timestamp,
)

AT = 1_795_444_458_123_456_789  # 2026-11-23T14:34:18.123456789Z
STORABLE = st.integers(MIN_TIMESTAMP_NS, MAX_TIMESTAMP_NS)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T14:34:18.123456789Z",
        "2026-11-23t15:34:18.123456789+01:00",
        "2026-11-23 09:04:18,123456789-0530",
        "2026-11-23 14:34:18.123456789",
        "2026-11-23T14:34:18.123456789 UTC",
        "2026-11-23T14:34:18.123456789987+00",
        "1795444458123456789",
        "1795444458.123456789",
        "1795444458123.456789",
    ],
)
def test_one_moment_has_many_spellings(text: str) -> None:
    """Any offset, separator and epoch unit give the same nanoseconds."""
    assert parse_timestamp(text) == AT


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z", "1e9", "-5",
     "2026-11-23T14:34:18+99:00", "9999-12-31T00:00:00Z", "1677-01-01", "12.", "²"],
)  # fmt: skip
def test_what_is_no_storable_time_is_none(text: str) -> None:
    """Impossible dates, other words and times the store cannot hold are refused."""
    assert parse_timestamp(text) is None


def test_a_leap_second_is_the_next_second() -> None:
    """23:59:60 has no Unix number of its own."""
    assert parse_timestamp("2016-12-31T23:59:60Z") == parse_timestamp("2017-01-01T00:00:00Z")


@given(STORABLE)
def test_formatting_round_trips(timestamp_ns: int) -> None:
    """What is shown parses to the same nanosecond."""
    assert parse_timestamp(format_timestamp(timestamp_ns)) == timestamp_ns


@given(STORABLE, st.integers(-23 * 60, 23 * 60))
def test_offsets_agree_with_the_standard_library(timestamp_ns: int, offset_min: int) -> None:
    """Our parser and datetime's agree on every offset."""
    zone = dt.timezone(dt.timedelta(minutes=offset_min))
    moment = dt.datetime.fromtimestamp(timestamp_ns // 10**9, dt.UTC).astimezone(zone)
    assert parse_timestamp(moment.isoformat()) == timestamp_ns // 10**9 * 10**9


@pytest.mark.parametrize("unit_ns", [10**9, 10**6, 10**3, 1])
def test_epoch_units_are_told_apart_by_magnitude(unit_ns: int) -> None:
    """Seconds, milli-, micro- and nanoseconds of today are recognised, integers exactly."""
    assert epoch_ns(AT // unit_ns) == AT // unit_ns * unit_ns
    assert abs((epoch_ns(AT / unit_ns) or 0) - AT) < 1_000


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 10**400, 1e300, 2**63])
def test_numbers_that_are_no_time_are_none(value: float) -> None:
    """Nothing a JSON parser can produce raises."""
    assert epoch_ns(value) is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("15m", 900), ("1h30m", 5400), ("1.5d", 129_600), ("500ms", 0.5)]
)
def test_durations(text: str, seconds: float) -> None:
    """Units add up."""
    assert duration_ns(text) == seconds * 1e9


@pytest.mark.parametrize("text", ["", "m", "15", "15m ", "15mm", "1h-30m", "-1h", "9" * 400 + "s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert duration_ns(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("now", AT), ("now-15m", AT - 900 * 10**9), ("-15m", AT - 900 * 10**9),
     ("now+1h", AT + 3600 * 10**9), ("2026-11-23T14:34:18.123456789Z", AT), ("now-", None),
     ("nowish", None), ("now-1000000d", MIN_TIMESTAMP_NS)],
)  # fmt: skip
def test_relative_times(text: str, expected: int | None) -> None:
    """Relative times count from the now they are given and stay storable."""
    assert parse_time(text, now_ns=AT) == expected
