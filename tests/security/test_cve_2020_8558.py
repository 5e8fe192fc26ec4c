"""CVE-2020-8558: with route_localnet, services bound to 127.0.0.1 were open to neighbours and to containers.

Publishing on 127.0.0.1 needs route_localnet on our bridges, and the redirection itself would take a neighbour's packet
for 127.0.0.1 before the kernel finds it impossible. The forged packets are sent also to where they must arrive, so that
silence means something.
"""

from __future__ import annotations

import socket

import pytest
from tests.support.frames import send_frame, udp_frame
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    NEIGHBOUR_IP,
    Container,
    Lab,
    Namespace,
    in_lab,
    udp_reach,
    udp_server,
    udp_silent,
)

from windlass.netlink import rtnl_read
from windlass.netlink.connection import Connection
from windlass.network.model import PortBinding

pytestmark = [pytest.mark.root, pytest.mark.net]


def mac_of(route: Connection, name: str) -> bytes:
    link = rtnl_read.find_link(route, name)
    assert link is not None
    return link.mac


def forge(lab: Lab, sender: Namespace | Container, host_ifname: str, source: str, target: tuple[str, int]) -> None:
    """Send a datagram to the host's MAC with addresses of our choice."""
    ns = sender if isinstance(sender, Namespace) else sender.ns
    frame = udp_frame(mac_of(lab.route, host_ifname), mac_of(ns.route, "eth0"), (source, 40000), target, b"ping")
    with ns.entered():
        send_frame("eth0", frame)


def received(server: socket.socket) -> bytes:
    return server.recvfrom(16)[0]


@in_lab
def test_neighbour_does_not_reach_port_published_on_loopback(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    wanted = PortBinding(53, "udp", "127.0.0.1", 5300, 5300), PortBinding(54, "udp", "", 5400, 5400)
    container = lab.container(config, *wanted)
    private, public = udp_server(container, 53), udp_server(container, 54)
    udp_reach(lab, "127.0.0.1", 5300, private)
    forge(lab, neighbour, "ext0", NEIGHBOUR_IP, (HOST_OUTSIDE_IP, 5400))
    assert received(public) == b"ping", "the forged packet is well made"
    forge(lab, neighbour, "ext0", NEIGHBOUR_IP, ("127.0.0.1", 5300))
    assert udp_silent(private)


@in_lab
def test_neighbour_does_not_reach_by_loopback_what_is_published_everywhere(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network(), PortBinding(53, "udp", "", 5300, 5300))
    server = udp_server(container, 53)
    forge(lab, neighbour, "ext0", NEIGHBOUR_IP, ("127.0.0.1", 5300))
    assert udp_silent(server)


@in_lab
def test_container_does_not_reach_loopback_services_of_the_host(lab: Lab) -> None:
    container = lab.container(lab.network())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as private, udp_server(lab, 6001) as public:
        private.bind(("127.0.0.1", 6000))
        forge(lab, container, "windlass0", container.ip, ("172.17.0.1", 6001))
        assert received(public) == b"ping"
        forge(lab, container, "windlass0", container.ip, ("127.0.0.1", 6000))
        assert udp_silent(private)


@in_lab
def test_container_does_not_pass_for_loopback(lab: Lab) -> None:
    container = lab.container(lab.network())
    with udp_server(lab, 6001) as server:
        forge(lab, container, "windlass0", "127.0.0.1", ("172.17.0.1", 6001))
        assert udp_silent(server)


@in_lab
def test_container_does_not_reach_another_ones_loopback_port(lab: Lab) -> None:
    config = lab.network()
    target = lab.container(config, PortBinding(53, "udp", "127.0.0.1", 5300, 5300))
    server = udp_server(target, 53)
    forge(lab, lab.container(config), "windlass0", "172.17.0.3", ("127.0.0.1", 5300))
    assert udp_silent(server)
