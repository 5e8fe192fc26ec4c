"""Who may talk to whom without a published port, and who may not."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network

import pytest
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    NEIGHBOUR_IP,
    Lab,
    Namespace,
    in_lab,
    tcp_reach,
    tcp_server,
    tcp_silent,
    udp_reach,
    udp_server,
    write_sysctl,
)

from windlass.netlink import rtnl, rtnl_read
from windlass.network.model import PortBinding

pytestmark = [pytest.mark.root, pytest.mark.net]


def route_via_host(neighbour: Namespace, subnet: str) -> None:
    """Let a neighbour try its luck: containers' addresses by way of our host."""
    index = rtnl_read.read_link(neighbour.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    neighbour.route.execute([rtnl.add_route(IPv4Network(subnet), IPv4Address(HOST_OUTSIDE_IP), index)])


@in_lab
def test_container_reaches_the_outside_and_is_seen_as_the_host(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network())
    assert tcp_reach(container, NEIGHBOUR_IP, 7000, tcp_server(neighbour, 7000)) == HOST_OUTSIDE_IP
    assert udp_reach(container, NEIGHBOUR_IP, 7000, udp_server(neighbour, 7000)) == HOST_OUTSIDE_IP


@in_lab
def test_network_without_masquerading_shows_its_own_addresses(lab: Lab) -> None:
    neighbour = lab.neighbour()
    route_via_host(neighbour, "172.17.0.0/16")
    container = lab.container(lab.network(masquerade=False))
    assert tcp_reach(container, NEIGHBOUR_IP, 7000, tcp_server(neighbour, 7000)) == container.ip


@in_lab
def test_host_and_container_reach_each_other_directly(lab: Lab) -> None:
    container = lab.container(lab.network())
    assert tcp_reach(lab, container.ip, 80, tcp_server(container, 80)) == "172.17.0.1"
    assert tcp_reach(container, "172.17.0.1", 7000, tcp_server(lab, 7000)) == container.ip


@in_lab
def test_container_reaches_itself_by_loopback(lab: Lab) -> None:
    container = lab.container(lab.network())
    assert tcp_reach(container, "127.0.0.1", 80, tcp_server(container, 80)) == "127.0.0.1"


@pytest.mark.parametrize("bridge_netfilter", ["0", "1"])
@in_lab
def test_containers_of_one_network_see_each_others_own_addresses(lab: Lab, bridge_netfilter: str) -> None:
    lab.bridge_netfilter(bridge_netfilter)
    config = lab.network()
    one, two = lab.container(config), lab.container(config)
    assert tcp_reach(one, two.ip, 80, tcp_server(two, 80)) == one.ip


@pytest.mark.parametrize("bridge_netfilter", ["0", "1"])
@in_lab
def test_without_icc_containers_of_one_network_are_apart(lab: Lab, bridge_netfilter: str) -> None:
    lab.bridge_netfilter(bridge_netfilter)
    neighbour = lab.neighbour()
    config = lab.network(icc=False)
    one, two = lab.container(config), lab.container(config)
    server = tcp_server(two, 80)
    assert tcp_silent_or_unreachable(one.ns, two.ip, 80)
    assert tcp_reach(lab, two.ip, 80, server) == "172.17.0.1"
    tcp_reach(one, NEIGHBOUR_IP, 7000, tcp_server(neighbour, 7000))


@in_lab
def test_without_icc_the_way_by_the_gateway_is_shut_too(lab: Lab) -> None:
    config = lab.network(icc=False)
    one, two = lab.container(config), lab.container(config)
    tcp_server(two, 80)
    index = rtnl_read.read_link(one.ns.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    around = rtnl.add_route(IPv4Network(f"{two.ip}/32"), IPv4Address("172.17.0.1"), index)
    one.ns.route.execute([around])
    assert tcp_silent(one, two.ip, 80)


def tcp_silent_or_unreachable(client: Namespace, ip: str, port: int) -> bool:
    with client.entered():
        try:
            socket.create_connection((ip, port), timeout=0.25).close()
        except OSError:
            return True
    return False


@in_lab
def test_containers_of_two_networks_are_apart(lab: Lab) -> None:
    one, two = lab.container(lab.network(0)), lab.container(lab.network(1))
    tcp_server(two, 80)
    tcp_server(one, 80)
    assert tcp_silent(one, two.ip, 80)
    assert tcp_silent(two, one.ip, 80)


@in_lab
def test_neighbour_that_routes_by_way_of_the_host_reaches_no_container(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network(), PortBinding(80, "tcp", "", 8080, 8080))
    server = tcp_server(container, 80)
    tcp_server(container, 81)
    route_via_host(neighbour, "172.17.0.0/16")
    tcp_reach(neighbour, HOST_OUTSIDE_IP, 8080, server)
    assert tcp_silent(neighbour, container.ip, 81), "a port that is not published"
    assert tcp_silent(neighbour, container.ip, 80), "a published port by its inner name"


@in_lab
def test_internal_network_is_cut_off_and_whole_inside(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network(internal=True)
    one, two = lab.container(config), lab.container(config)
    assert one.endpoint.gateway is None
    tcp_reach(one, two.ip, 80, tcp_server(two, 80))
    tcp_server(neighbour, 7000)
    index = rtnl_read.read_link(one.ns.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    one.ns.route.execute([rtnl.add_route(None, IPv4Address("172.17.0.1"), index)])  # a container with NET_ADMIN
    assert tcp_silent(one, NEIGHBOUR_IP, 7000)
    route_via_host(neighbour, "172.17.0.0/16")
    tcp_server(one, 80)
    assert tcp_silent(neighbour, one.ip, 80)


@in_lab
def test_internal_network_does_not_reach_ports_published_by_others(lab: Lab) -> None:
    lab.neighbour()
    outer, inner = lab.network(0), lab.network(1, internal=True)
    tcp_server(lab.container(outer, PortBinding(80, "tcp", "", 8080, 8080)), 80)
    captive = lab.container(inner)
    index = rtnl_read.read_link(captive.ns.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    captive.ns.route.execute([rtnl.add_route(None, IPv4Address("172.18.0.1"), index)])
    assert tcp_silent(captive, HOST_OUTSIDE_IP, 8080)


@in_lab
def test_host_does_not_become_a_router_between_its_neighbours(lab: Lab) -> None:
    near, far = lab.neighbour(), lab.neighbour("198.51.100.2", "198.51.100.1", "ext1")
    route_via_host(near, "198.51.100.0/24")
    index = rtnl_read.read_link(far.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    far.route.execute([rtnl.add_route(None, IPv4Address("198.51.100.1"), index)])
    server = tcp_server(far, 80)
    lab.network()
    assert tcp_silent(near, "198.51.100.2", 80)
    server.close()


@in_lab
def test_host_that_was_a_router_stays_one(lab: Lab) -> None:
    near, far = lab.neighbour(), lab.neighbour("198.51.100.2", "198.51.100.1", "ext1")
    write_sysctl("ipv4/ip_forward", "1")
    route_via_host(near, "198.51.100.0/24")
    index = rtnl_read.read_link(far.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
    far.route.execute([rtnl.add_route(None, IPv4Address("198.51.100.1"), index)])
    lab.network()
    assert tcp_reach(near, "198.51.100.2", 80, tcp_server(far, 80)) == NEIGHBOUR_IP
