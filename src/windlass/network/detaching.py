"""The slow half of removing endpoints, which needs nothing that a driver remembers."""

from __future__ import annotations

from collections.abc import Sequence

from windlass.netlink import conntrack
from windlass.netlink.connection import NETLINK_NETFILTER, NETLINK_ROUTE, Connection
from windlass.network import veth
from windlass.network.errors import kernel_errors
from windlass.network.model import Endpoint


def remove_interfaces(endpoints: Sequence[Endpoint]) -> None:
    """Remove the interfaces of endpoints, and flows that would go on to the next owner of an address.

    May run in any thread beside the driver's: attaching does not wait for it (the kernel gives its lock away while it
    waits for grace periods).

    Raises:
        NetworkSetupFailed: the kernel refused.
    """
    with kernel_errors("remove interfaces"):
        with Connection.open(NETLINK_ROUTE) as route:
            veth.disconnect(route, [endpoint.host_ifname for endpoint in endpoints])
        served = [endpoint.ip4 for endpoint in endpoints if any(port.protocol == "udp" for port in endpoint.ports)]
        if served:
            with Connection.open(NETLINK_NETFILTER) as netfilter:
                for address in served:
                    conntrack.forget_server(netfilter, address)
