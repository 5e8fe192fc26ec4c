"""nf_tables transactions, byte for byte."""

from __future__ import annotations

import sys

import pytest

from windlass.netlink import codec, nftables
from windlass.netlink import nft_expressions as nft
from windlass.netlink.nftables import Batch, Element, Hook, SetFlag, SetSpec, Type, pack_fields, pack_ifname

pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="golden bytes of a little-endian machine")


def steps(batch: Batch) -> list[codec.Message]:
    return list(codec.iter_messages(batch.encode(1)))


def test_transaction_is_framed_and_only_its_last_step_is_acknowledged() -> None:
    batch = Batch("t")
    batch.add_table()
    batch.add_chain("c")
    messages = steps(batch)
    assert [m.kind for m in messages] == [0x10, 0x0A00, 0x0A03, 0x11]
    assert [m.sequence for m in messages] == [1, 2, 3, 4]
    assert [bool(m.flags & codec.NLM_F_ACK) for m in messages] == [False, False, True, False]
    assert messages[0].payload == messages[3].payload == bytes.fromhex("0000000a")


def test_table_is_of_family_inet() -> None:
    batch = Batch("t")
    batch.add_table()
    assert steps(batch)[1].payload == bytes.fromhex("010000000600010074000000")


def test_base_chain_carries_hook_priority_policy_and_type() -> None:
    batch = Batch("t")
    batch.add_base_chain("pre", "nat", Hook.PREROUTING, -100)
    assert steps(batch)[1].payload.hex() == (
        "01000000"
        "0600" "0100" "7400" "0000"
        "0800" "0300" "70726500"
        "1400" "0480" "0800" "0100" "00000000" "0800" "0200" "ffffff9c"
        "0800" "0500" "00000001"
        "0800" "0700" "6e617400"
    )  # fmt: skip


def test_concatenated_interval_set_describes_its_fields() -> None:
    batch = Batch("t")
    spec = SetSpec("own", (Type.IPV4_ADDR, Type.IFNAME), flags=SetFlag.INTERVAL | SetFlag.CONCAT)
    batch.add_set(spec)
    attrs = codec.attributes(steps(batch)[1].payload, 4)
    assert codec.read_be32(attrs[3]) == 0x84
    assert codec.read_be32(attrs[4]) == 7 << 6 | 41
    assert codec.read_be32(attrs[5]) == 20
    fields = [codec.attributes(f)[1] for _k, f in codec.iter_attributes(codec.attributes(attrs[9])[2])]
    assert [codec.read_be32(f) for f in fields] == [4, 16]


def test_map_describes_its_data() -> None:
    batch = Batch("t")
    batch.add_set(SetSpec("m", (Type.INET_PROTO, Type.INET_SERVICE), (Type.IPV4_ADDR, Type.INET_SERVICE)))
    attrs = codec.attributes(steps(batch)[1].payload, 4)
    assert codec.read_be32(attrs[3]) == 0x8
    assert codec.read_be32(attrs[5]) == 8
    assert codec.read_be32(attrs[6]) == 7 << 6 | 13
    assert codec.read_be32(attrs[7]) == 8


def test_elements_have_key_data_and_range() -> None:
    batch = Batch("t")
    batch.add_elements(
        "s", [Element(b"keyA", b"data"), Element(b"keyB", key_end=b"keyZ"), Element(b"k", ends_range=True)]
    )
    attrs = codec.attributes(steps(batch)[1].payload, 4)
    items = [codec.attributes(item) for _kind, item in codec.iter_attributes(attrs[3])]
    assert [sorted(item) for item in items] == [[1, 2], [1, 10], [1, 3]]
    assert codec.attributes(items[0][1])[1] == b"keyA"
    assert codec.attributes(items[1][10])[1] == b"keyZ"


def test_many_elements_are_spread_over_messages() -> None:
    batch = Batch("t")
    batch.add_elements("s", [Element(n.to_bytes(4, "big")) for n in range(1200)])
    messages = steps(batch)[1:-1]
    assert len(messages) == 3
    count = sum(len(list(codec.iter_attributes(codec.attributes(m.payload, 4)[3]))) for m in messages)
    assert count == 1200


def test_empty_batch_does_nothing() -> None:
    batch = Batch("t")
    batch.add_elements("s", [])
    batch.commit(None)  # type: ignore[arg-type]


def test_expression_is_a_named_list_element() -> None:
    assert nft.masquerade().hex() == "14000180090001006d6173710000000004000280"
    assert nft.meta(nft.Meta.L4PROTO, nft.reg(1)).hex() == (
        "2400" "0180"
        "0900" "0100" "6d65746100" "000000"
        "1400" "0280" "0800" "0100" "00000009" "0800" "0200" "00000010"
    )  # fmt: skip


def test_verdict_names_the_chain_it_jumps_to() -> None:
    data = nft.verdict(nft.Verdict.JUMP, "publish")
    assert bytes.fromhex("08000100fffffffd0c000200") + b"publish\0" in data


def test_fields_are_padded_to_registers() -> None:
    assert pack_fields(b"\x06", b"\x00\x50") == bytes.fromhex("0600000000500000")
    assert pack_ifname("lo") == b"lo" + bytes(14)


def test_numbers_of_messages_are_the_kernels() -> None:
    assert (nftables.NEWSETELEM, nftables.DELSETELEM, nftables.GETSETELEM) == (12, 14, 13)
