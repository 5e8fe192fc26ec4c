"""RFC 3339 in both directions."""

from __future__ import annotations

import pytest

from windlass.base.clock import ZERO_TIME, parse_rfc3339, rfc3339_nano


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        (ZERO_TIME, 0),
        ("2026-01-01T00:00:00.5Z", 1_767_225_600_500_000_000),
        ("2026-01-01T01:00:00.000000001+01:00", 1_767_225_600_000_000_001),
        ("2025-12-31T23:30:00-00:30", 1_767_225_600_000_000_000),
    ],
)
def test_reads(text: str, time_ns: int) -> None:
    assert parse_rfc3339(text) == time_ns


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z\n"])
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="not an RFC 3339 time"):
        parse_rfc3339(text)


def test_reads_what_it_writes() -> None:
    for time_ns in (0, 1, 1_767_225_600_123_456_789):
        assert parse_rfc3339(rfc3339_nano(time_ns)) == time_ns
