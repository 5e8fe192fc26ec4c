"""Sizes, durations and moments."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from windlass.cli.create.units import duration_ns, memory_bytes
from windlass.cli.errors import CliError
from windlass.cli.rows.moments import local_rfc3339, local_text, parse_rfc3339
from windlass.cli.timestamps import engine_timestamp
from windlass.cli.units import binary_size, human_duration, human_size

DAY = 86400


@pytest.mark.parametrize(
    ("size", "digits", "shown"),
    [
        (0, 3, "0B"),
        (999, 3, "999B"),
        (1984287, 3, "1.98MB"),
        (1984287, 4, "1.984MB"),
        (999999, 3, "1e+03kB"),
        (1e9, 3, "1GB"),
    ],
)
def test_decimal_sizes(size: float, digits: int, shown: str) -> None:
    assert human_size(size, digits) == shown


def test_binary_sizes() -> None:
    assert (binary_size(638976), binary_size(25278058496), binary_size(0)) == ("624KiB", "23.54GiB", "0B")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.9, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (59 * 60, "59 minutes"),
        (3600, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (2 * DAY, "2 days"),
        (14 * DAY, "2 weeks"),
        (60 * DAY, "2 months"),
        (730 * DAY, "2 years"),
    ],
)
def test_durations_for_people(seconds: float, shown: str) -> None:
    assert human_duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [("512m", 512 << 20), ("1.5g", 3 << 29), ("10", 10), ("1 KiB", 1024), (".5k", 512), ("2B", 2), ("1t", 1 << 40)],
)
def test_memory(text: str, value: int) -> None:
    assert memory_bytes(text) == value


@pytest.mark.parametrize("text", ["", "m", "-1", "1x", "1kbb", "nan", "1_0m", "1 2"])
def test_what_is_no_memory_size(text: str) -> None:
    with pytest.raises(ValueError, match="invalid"):
        memory_bytes(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1m30s", 90_000_000_000),
        ("250ms", 250_000_000),
        ("-1.5h", -5_400_000_000_000),
        ("0", 0),
        ("1.5us", 1500),
        (".5s", 500_000_000),
    ],
)
def test_durations(text: str, value: int) -> None:
    assert duration_ns(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [("1", "missing unit"), ("", "invalid duration"), ("s", "invalid duration"), ("1x", "unknown unit")],
)
def test_what_is_no_duration(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        duration_ns(text)


@pytest.fixture
def _berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "CET-1")
        time.tzset()
        yield
    # The C library remembers: later tests have the zone of the host again.
    time.tzset()


@pytest.mark.usefixtures("_berlin")
def test_local_moments() -> None:
    assert local_text(0) == "1970-01-01 01:00:00 +0100 CET"
    assert local_rfc3339(0) == "1970-01-01T01:00:00+01:00"
    assert engine_timestamp("1970-01-01T01:00:00") == "0.000000000"
    assert engine_timestamp("1970-01-02") == "82800.000000000"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T12:00:00.5Z", 1709208000.5),
        ("2023-11-14T23:13:20+01:00", 1700000000),
        ("0001-01-01T00:00:00Z", -62135596800),
    ],
)
def test_rfc3339(text: str, seconds: float) -> None:
    assert parse_rfc3339(text) == seconds


def test_timestamps_for_the_engine() -> None:
    assert engine_timestamp("1700000000.5") == "1700000000.5"
    assert engine_timestamp("2023-11-14T22:13:20.123456789Z") == "1700000000.123456789"
    assert abs(float(engine_timestamp("1m")) - (time.time() - 60)) < 5
    with pytest.raises(CliError, match="failed to parse value as time or duration"):
        engine_timestamp("yesterday")
