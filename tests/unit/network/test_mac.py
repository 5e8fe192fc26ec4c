"""MAC addresses."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from windlass.network.errors import InvalidMac
from windlass.network.mac import format_mac, mac_for, parse_mac


def test_mac_follows_from_the_address() -> None:
    assert format_mac(mac_for(IPv4Address("172.17.0.2"))) == "02:42:ac:11:00:02"


@pytest.mark.parametrize("text", ["02:42:AC:11:00:02", "02-42-ac-11-00-02"])
def test_mac_is_read_in_the_usual_spellings(text: str) -> None:
    assert parse_mac(text) == bytes.fromhex("0242ac110002")


@pytest.mark.parametrize(
    "text", ["", "02:42", "02:42:ac:11:00:0g", "01:00:5e:00:00:01", "00:00:00:00:00:00", "02:42:ac:11:00:02\n"]
)
def test_impossible_mac_is_refused(text: str) -> None:
    with pytest.raises(InvalidMac, match=r"^invalid MAC address: "):
        parse_mac(text)
