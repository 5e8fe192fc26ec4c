"""Messages and attributes, byte for byte."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.netlink import codec

little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="golden bytes of a little-endian machine")


@little_endian
def test_message_is_a_header_and_a_padded_payload() -> None:
    assert codec.message(16, 0x605, 7, b"abcde") == bytes.fromhex(
        "15000000" "1000" "0506" "07000000" "00000000" "6162636465" "000000"
    )  # fmt: skip


@little_endian
def test_attributes_are_padded_and_say_their_bare_length() -> None:
    assert codec.string(3, "eth0") == bytes.fromhex("090003006574683000000000")
    assert codec.u8(4, 1) == bytes.fromhex("0500040001000000")
    assert codec.u32(4, 1500) == bytes.fromhex("08000400dc050000")
    assert codec.be32(2, -100) == bytes.fromhex("08000200ffffff9c")
    assert codec.be16(2, 80) == bytes.fromhex("0600020000500000")


@little_endian
def test_nesting_is_flagged() -> None:
    assert codec.nested(18, codec.string(1, "veth")) == bytes.fromhex("10001280090001007665746800000000")


@given(st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(max_size=40)), max_size=10))
def test_attributes_read_back_as_written(pairs: list[tuple[int, bytes]]) -> None:
    data = b"".join(codec.attribute(kind, payload) for kind, payload in pairs)
    assert list(codec.iter_attributes(data)) == pairs


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.binary(max_size=40)), max_size=10))
def test_messages_read_back_as_written(triples: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(codec.message(kind, 1, sequence, payload) for kind, sequence, payload in triples)
    assert [(m.kind, m.sequence, m.payload) for m in codec.iter_messages(data)] == triples


@given(st.binary(max_size=200))
def test_garbage_is_read_or_refused_and_never_read_past(data: bytes) -> None:
    for read in (codec.iter_messages, codec.iter_attributes):
        try:
            list(read(data))
        except codec.Truncated:
            pass


def test_truncated_message_is_refused() -> None:
    whole = codec.message(16, 0, 1, b"abcdefgh")
    with pytest.raises(codec.Truncated):
        list(codec.iter_messages(whole[:-4]))
    with pytest.raises(codec.Truncated):
        list(codec.iter_attributes(codec.string(1, "abcdefgh")[:-4]))


def test_nested_attribute_is_read_without_its_flag() -> None:
    assert list(codec.iter_attributes(codec.nested(5, codec.u8(1, 2)))) == [(5, codec.u8(1, 2))]


def test_strings_end_at_the_first_nul() -> None:
    assert codec.read_string(b"eth0\0junk") == "eth0"
    assert codec.read_string(b"eth0") == "eth0"
