"""Go's spellings."""

from __future__ import annotations

import pytest

from windlass.cli.gotext import parse_bool, parse_int, parse_uint, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a b", '"a b"'), ('"\\', '"\\"\\\\"'), ("\n\t\x01", '"\\n\\t\\x01"'), ("é\u200b", '"é\\u200b"')],
)
def test_quoting(text: str, shown: str) -> None:
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("text", "value"), [("0x10", 16), ("010", 8), ("0b11", 3), ("1_000", 1000), ("-5", -5), ("+5", 5), ("0", 0)]
)
def test_whole_numbers(text: str, value: int) -> None:
    assert parse_int(text) == value


@pytest.mark.parametrize("text", ["", " 1", "1.5", "08", "abc", "١"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_int(text)


def test_bounds() -> None:
    assert parse_uint("65535", 16) == 65535
    with pytest.raises(ValueError, match="value out of range"):
        parse_uint("65536", 16)
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_uint("-1", 16)


def test_booleans() -> None:
    assert parse_bool("T") and not parse_bool("FALSE")
    with pytest.raises(ValueError, match=r"strconv\.ParseBool"):
        parse_bool("yes")
