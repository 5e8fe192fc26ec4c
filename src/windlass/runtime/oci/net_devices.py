"""Moving interfaces of the host into a container.

An interface keeps its global addresses, and comes up again under its new name.

Source: runtime-spec config-linux.md, "Network Devices"; rtnetlink(7).
"""

from __future__ import annotations

import os
import socket

from windlass.base.errors import System
from windlass.linux.namespaces import CLONE_NEWNET, setns
from windlass.netlink import codec, rtnl
from windlass.netlink.connection import NETLINK_ROUTE, Connection, Request
from windlass.netlink.rtnl_read import LinkAddress, addresses, find_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.spec.runtime import NetDevice


def move_devices(devices: Mapping[str, NetDevice], pid: int) -> None:
    """Move each host interface into the network namespace of process `pid`, under the name asked for.

    Raises:
        System: there is no such interface, or the kernel refused.
    """
    netns = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with Connection.open(NETLINK_ROUTE) as outside, Connection(_socket_in(netns)) as inside:
            present = addresses(outside)
            for name, device in devices.items():
                _move(outside, inside, netns, name, device.name or name, present)
    except OSError as error:
        raise System(f"move network devices: {error.strerror or error}") from None
    finally:
        os.close(netns)


def _move(
    outside: Connection, inside: Connection, netns: int, name: str, new_name: str, present: list[LinkAddress]
) -> None:
    link = find_link(outside, name)
    if link is None:
        raise System(f"move network device {name}: no such device")
    kept = [address for address in present if address.link == link.index and not address.address.is_link_local]
    payload = (
        rtnl.LINK_HEADER.pack(0, 0, link.index, 0, rtnl.IFF_UP)
        + codec.string(rtnl.IFLA_IFNAME, new_name)
        + codec.u32(rtnl.IFLA_NET_NS_FD, netns)
    )
    outside.execute([Request(rtnl.RTM_NEWLINK, 0, payload, f"move network device {name} as {new_name}")])
    moved = find_link(inside, new_name)
    if moved is None:
        raise System(f"move network device {name}: it is not in the container")
    inside.execute(
        [
            *(rtnl.add_address(moved.index, address.address, address.prefix_len) for address in kept),
            rtnl.set_link(moved.index, up=True),
        ]
    )


def _socket_in(netns: int) -> socket.socket:
    """Open a route socket in another network namespace. Only for processes with one thread (law 1)."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(netns, CLONE_NEWNET)
        try:
            return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
        finally:
            setns(own, CLONE_NEWNET)
    finally:
        os.close(own)
