"""PAX records."""

from __future__ import annotations

import pytest

from windlass.archive.errors import TarCorrupt
from windlass.archive.pax import format_records, format_time_ns, parse_records, parse_time_ns


def test_record_counts_its_own_digits() -> None:
    assert format_records([(b"a", b"x" * 4)]) == b"9 a=xxxx\n"
    assert format_records([(b"a", b"x" * 5)]) == b"11 a=xxxxx\n"
    assert format_records([(b"a", b"x" * 93)]).startswith(b"99 a=")
    assert format_records([(b"a", b"x" * 94)]).startswith(b"101 a=")


def test_values_may_hold_newlines_equals_signs_and_nuls() -> None:
    records = [(b"SCHILY.xattr.user.a", b"\0\n=\xff"), (b"path", b"a=b\nc")]
    assert parse_records(format_records(records)) == records


@pytest.mark.parametrize(
    "body",
    [
        b"5 a=b",
        b"6 a=b\n\0",
        b"99 a=b\n",
        b"0 a=b\n",
        b"2 \n",
        b"x a=b\n",
        b"-6 a=b\n",
        b"6 =ab\n",
        b"6 abc\n",
        b"99999999999999999999 a=b\n",
        b"12 path=a\0b\n\n",
        b"6  a=b\n",
    ],
)
def test_malformed_records_are_refused(body: bytes) -> None:
    with pytest.raises(TarCorrupt):
        parse_records(body)


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        (b"1", 10**9),
        (b"1.5", 1_500_000_000),
        (b"0.000000001999", 1),
        (b"-1.5", -1_500_000_000),
        (b".5", 500_000_000),
        (b"2.", 2 * 10**9),
    ],
)
def test_times_read(text: bytes, time_ns: int) -> None:
    assert parse_time_ns(text) == time_ns


@pytest.mark.parametrize("text", [b"", b".", b"1e9", b"nan", b"1.2.3", b"+1", b"9" * 30])
def test_time_that_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(TarCorrupt):
        parse_time_ns(text)


@pytest.mark.parametrize("time_ns", [0, 1, 10**9, 1_700_000_000_123_456_789, -5 * 10**8])
def test_time_survives_writing(time_ns: int) -> None:
    assert parse_time_ns(format_time_ns(time_ns)) == time_ns
