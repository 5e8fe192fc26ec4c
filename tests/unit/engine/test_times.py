"""Times in the forms that clients send."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.times import parse_time_ns

_NOW = 1_700_000_000_000_000_000
_S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000 * _S),
        ("1700000000.5", 1_700_000_000 * _S + _S // 2),
        ("1700000000.000000001", 1_700_000_000 * _S + 1),
        ("1700000000.1234567891", 1_700_000_000 * _S + 123_456_789),
        ("10m", _NOW - 600 * _S),
        ("1h30m", _NOW - 5400 * _S),
        ("1.5s", _NOW - 1_500_000_000),
        ("0s", _NOW),
        ("250ms", _NOW - 250_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000 * _S),
        ("2023-11-14T22:13:20.000000007Z", 1_700_000_000 * _S + 7),
        ("2023-11-15T00:13:20.5+02:00", 1_700_000_000 * _S + _S // 2),
        ("2023-11-14", 1_699_920_000 * _S),
    ],
)
def test_forms(text: str, expected: int) -> None:
    assert parse_time_ns(text, _NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "1h30", "10x", "h", "2023-13-01"])
def test_no_times(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid time"):
        parse_time_ns(text, _NOW)
