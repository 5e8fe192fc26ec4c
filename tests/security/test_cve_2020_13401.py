"""CVE-2020-13401: a container sent IPv6 router advertisements, and the host took its default route from them."""

from __future__ import annotations

import socket
from ipaddress import IPv6Network

import pytest
from tests.support.frames import router_advertisement, send_frame
from tests.support.network_lab import ANSWER_TIMEOUT_S, Lab, Namespace, in_lab, write_sysctl

from windlass.netlink import rtnl_read

pytestmark = [pytest.mark.root, pytest.mark.net]

PREFIX = IPv6Network("2001:db8:bad::/64")
_RTMGRP_IPV6_ROUTE = 0x400


def advertise(sender: Namespace) -> None:
    link = rtnl_read.find_link(sender.route, "eth0")
    assert link is not None
    with sender.entered():
        send_frame("eth0", router_advertisement(link.mac, PREFIX))


def poisoned(lab: Lab) -> bool:
    routes = rtnl_read.routes(lab.route, socket.AF_INET6)
    return any(r.gateway is not None or r.destination == PREFIX for r in routes)


@in_lab
def test_router_advertisement_of_a_container_does_not_reconfigure_the_host(lab: Lab) -> None:
    neighbour = lab.neighbour()
    write_sysctl("ipv6/conf/ext0/accept_ra", "2")
    container = lab.container(lab.network())
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as changes:
        changes.bind((0, _RTMGRP_IPV6_ROUTE))
        changes.settimeout(ANSWER_TIMEOUT_S)
        advertise(container.ns)
        assert not poisoned(lab)
        # The same frame where the host does believe in advertisements: it would have worked. Packets of both went
        # through the same queue of this CPU, in this order.
        advertise(neighbour)
        while not poisoned(lab):
            changes.recv(65536)
    sources = {r.link for r in rtnl_read.routes(lab.route, socket.AF_INET6) if r.gateway is not None}
    bridge, outside = rtnl_read.find_link(lab.route, "windlass0"), rtnl_read.find_link(lab.route, "ext0")
    assert bridge is not None and outside is not None
    assert sources == {outside.index}


@in_lab
def test_bridge_does_not_listen_even_where_the_host_does_by_default(lab: Lab) -> None:
    write_sysctl("ipv6/conf/default/accept_ra", "2")
    lab.network()
    with open("/proc/sys/net/ipv6/conf/windlass0/accept_ra", encoding="ascii") as file:
        assert file.read().strip() == "0"
