"""Numbers and checksums of header blocks."""

from __future__ import annotations

import pytest
from tests.support.archives import raw_header

from windlass.archive import header
from windlass.archive.errors import TarCorrupt


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644),
        (b"   644 \0", 0o644),
        (b"\0" * 8, 0),
        (b"       \0", 0),
        (b"7777777 ", 0o7777777),
        (b"12\0junk!", 0o12),
        (b"\x80\0\0\0\0\0\x01\0", 256),
        (b"\xff\xff\xff\xff\xff\xff\xff\xfe", -2),
    ],
)
def test_numbers_read(field: bytes, value: int) -> None:
    assert header.parse_number(field) == value


@pytest.mark.parametrize(
    "field", [b"0000888\0", b"-000001\0", b"0x1F\0\0\0\0", b"1_0\0\0\0\0\0", b"12 34\0\0\0", b"+1\0\0\0\0\0\0"]
)
def test_number_that_is_none_is_refused(field: bytes) -> None:
    with pytest.raises(TarCorrupt):
        header.parse_number(field)


@pytest.mark.parametrize("field", [b"\xff" * 12, b"\x80\0\0\0\x80\0\0\0\0\0\0\0"])
def test_size_outside_63_bits_is_refused(field: bytes) -> None:
    with pytest.raises(TarCorrupt):
        header.parse_size(field)


@pytest.mark.parametrize("value", [0, 1, 8**7 - 1, 8**7, 1 << 40, -1, -(1 << 40)])
def test_number_survives_writing(value: int) -> None:
    assert header.parse_number(header.format_number(value, 8)) == value


def test_checksum_by_signed_bytes_counts() -> None:
    block = bytearray(raw_header(b"caf\xc3\xa9"))
    block[header.CHECKSUM] = b" " * 8
    signed = sum(byte - 256 if byte > 127 else byte for byte in block)
    block[header.CHECKSUM] = b"%06o\0 " % signed
    assert header.has_valid_checksum(bytes(block))


def test_wrong_checksum_does_not_count() -> None:
    block = bytearray(raw_header())
    block[0] ^= 1
    assert not header.has_valid_checksum(bytes(block))
