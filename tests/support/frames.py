"""Ethernet frames made by hand, for what no well-behaved stack would send."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, IPv6Network

_ETH_IPV4, _ETH_IPV6 = 0x0800, 0x86DD
_UDP, _ICMPV6 = 17, 58
ALL_NODES_MAC = bytes.fromhex("333300000001")


def send_frame(ifname: str, frame: bytes) -> None:
    """Send a frame from an interface of the namespace that the caller is in."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((ifname, 0))
        sock.send(frame)


def checksum(data: bytes) -> int:
    """Source: RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp_frame(to_mac: bytes, from_mac: bytes, source: tuple[str, int], target: tuple[str, int], data: bytes) -> bytes:
    """An IPv4 UDP datagram with whatever addresses; without a UDP checksum, as IPv4 allows."""
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(data), 0) + data
    return _ipv4(to_mac, from_mac, source[0], target[0], _UDP, udp)


def _ipv4(to_mac: bytes, from_mac: bytes, source: str, target: str, protocol: int, payload: bytes) -> bytes:
    def header(check: int) -> bytes:
        fixed = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, check)
        return fixed + IPv4Address(source).packed + IPv4Address(target).packed

    return to_mac + from_mac + struct.pack(">H", _ETH_IPV4) + header(checksum(header(0))) + payload


def router_advertisement(from_mac: bytes, prefix: IPv6Network) -> bytes:
    """A router advertisement of `prefix`, with a default route. Source: RFC 4861, 4.2 and 4.6.2."""
    source, target = IPv6Address("fe80::bad"), IPv6Address("ff02::1")
    option = struct.pack(">BBBBIII", 3, 4, prefix.prefixlen, 0xC0, 3600, 3600, 0) + prefix.network_address.packed
    option += struct.pack(">BB6s", 1, 1, from_mac)

    def message(check: int) -> bytes:
        return struct.pack(">BBHBBHII", 134, 0, check, 64, 0, 1800, 0, 0) + option

    body = message(0)
    pseudo = source.packed + target.packed + struct.pack(">II", len(body), _ICMPV6)
    body = message(checksum(pseudo + body))
    header = struct.pack(">IHBB", 6 << 28, len(body), _ICMPV6, 255) + source.packed + target.packed
    return ALL_NODES_MAC + from_mac + struct.pack(">H", _ETH_IPV6) + header + body
