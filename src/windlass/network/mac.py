"""MAC addresses of endpoints."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from windlass.network.errors import InvalidMac

_MAC = re.compile(r"\A[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}\Z")
_PREFIX = b"\x02\x42"  # locally administered; what dockerd has always used


def mac_for(address: IPv4Address) -> bytes:
    """Derive the MAC from the address: whoever gets the address next has the MAC that neighbours remember for it."""
    return _PREFIX + address.packed


def parse_mac(text: str) -> bytes:
    """Parse `02:42:ac:11:00:02`.

    Raises:
        InvalidMac: malformed, or a multicast address, which no interface can have.
    """
    if not _MAC.match(text):
        raise InvalidMac(text)
    mac = bytes.fromhex(text.replace(":", "").replace("-", ""))
    if mac[0] & 1 or not any(mac):
        raise InvalidMac(text)
    return mac


def format_mac(mac: bytes) -> str:
    """Write a MAC as `02:42:ac:11:00:02`."""
    return mac.hex(":")
