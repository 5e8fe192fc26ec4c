"""A daemon that comes back, and a table that was flushed behind our back."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    NEIGHBOUR_IP,
    Lab,
    in_lab,
    network_config,
    tcp_reach,
    tcp_refused,
    tcp_server,
    tcp_silent,
)

from windlass.netlink import nft_read, rtnl, rtnl_read
from windlass.netlink.connection import NETLINK_NETFILTER, Connection
from windlass.netlink.nftables import Batch
from windlass.network.driver import BridgeDriver
from windlass.network.errors import PortAllocated
from windlass.network.model import Endpoint, PortBinding

pytestmark = [pytest.mark.root, pytest.mark.net]

GOLDEN_TABLE = Path(__file__).parents[2] / "golden/network/table.nft"
WEB = PortBinding(80, "tcp", "", 8080, 8080)


def restart(lab: Lab) -> BridgeDriver:
    """A new daemon: the old one's sockets are closed, its memory is forgotten."""
    lab.driver.close()
    lab.driver = BridgeDriver()
    return lab.driver


def stored(endpoint: Endpoint) -> Endpoint:
    """An endpoint as the engine's store gives it back."""
    return replace(endpoint, port_holds=())


@in_lab
def test_restored_container_goes_on_as_before(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    container = lab.container(config, WEB)
    server = tcp_server(container, 80)
    with neighbour.entered():
        near = socket.create_connection((HOST_OUTSIDE_IP, 8080), timeout=5)
    far, _peer = server.accept()
    assert restart(lab).restore([config], [stored(container.endpoint)]) == ()
    near.sendall(b"still here")
    assert far.recv(16) == b"still here"
    tcp_reach(neighbour, HOST_OUTSIDE_IP, 8080, server)
    tcp_reach(container, NEIGHBOUR_IP, 7000, tcp_server(neighbour, 7000))


@in_lab
def test_restored_address_and_port_stay_taken_until_detached(lab: Lab) -> None:
    config = lab.network()
    container = lab.container(config, WEB)
    driver = restart(lab)
    driver.restore([config], [stored(container.endpoint)])
    assert lab.container(config).ip == "172.17.0.3"
    with pytest.raises(PortAllocated):
        lab.container(config, WEB)
    for hold in container.endpoint.port_holds:  # the supervisor's copies
        hold.close()
    driver.detach(stored(container.endpoint))
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(lab.container(config, WEB), 80))


@in_lab
def test_links_of_the_dead_are_removed_and_those_of_others_are_not(lab: Lab) -> None:
    config = lab.network()
    living, dead = lab.container(config), lab.container(config, WEB)
    lab.route.execute(
        [
            rtnl.create_bridge("other0", bytes.fromhex("020000000001")),
            rtnl.create_veth(rtnl.VethEnd("wlabcdefabcdef"), rtnl.VethEnd("wlpeer")),
            rtnl.create_veth(rtnl.VethEnd("mine0"), rtnl.VethEnd("mine1")),
        ]
    )
    names = {link.name: link.index for link in rtnl_read.links(lab.route)}
    lab.route.execute(
        [
            rtnl.set_link("wlabcdefabcdef", master=names["other0"]),  # another engine's, by a name like ours
            rtnl.set_link("mine0", master=names["windlass0"]),  # a guest of the administrator's on our bridge
        ]
    )
    restart(lab).restore([config], [stored(living.endpoint)])
    left = {link.name for link in rtnl_read.links(lab.route)}
    assert dead.endpoint.host_ifname not in left
    assert {living.endpoint.host_ifname, "wlabcdefabcdef", "mine0"} <= left
    assert tcp_refused(lab, "127.0.0.1", 8080), "the dead one's port is no longer redirected"


@in_lab
def test_endpoint_whose_link_is_gone_is_reported_lost(lab: Lab) -> None:
    config = lab.network()
    container = lab.container(config, WEB)
    lab.route.execute([rtnl.delete_link(container.endpoint.host_ifname)])
    for hold in container.endpoint.port_holds:
        hold.close()
    lost = restart(lab).restore([config], [stored(container.endpoint)])
    assert [endpoint.id for endpoint in lost] == [container.endpoint.id]
    lab.container(config, WEB)


@in_lab
def test_bridge_that_was_deleted_is_made_again_with_its_ports(lab: Lab) -> None:
    config = lab.network()
    container = lab.container(config)
    lab.route.execute([rtnl.delete_link("windlass0")])
    restart(lab).restore([config], [stored(container.endpoint)])
    tcp_reach(lab, container.ip, 80, tcp_server(container, 80))


@in_lab
def test_network_that_is_no_longer_wanted_is_out_of_the_table(lab: Lab) -> None:
    one = lab.network(0)
    lab.network(1)
    restart(lab).restore([one], [])
    with Connection.open(NETLINK_NETFILTER) as netfilter:
        bridges = [element.key.rstrip(b"\0") for element in nft_read.elements(netfilter, "windlass", "bridges")]
    assert bridges == [b"windlass0"]


@in_lab
def test_forwarding_guard_outlives_the_daemon(lab: Lab) -> None:
    near, far = lab.neighbour(), lab.neighbour("198.51.100.2", "198.51.100.1", "ext1")
    config = lab.network()
    restart(lab).restore([config], [])
    with Connection.open(NETLINK_NETFILTER) as netfilter:
        names = {element.key.rstrip(b"\0") for element in nft_read.elements(netfilter, "windlass", "uplinks")}
    assert {b"ext0", b"ext1"} <= names
    near.route_socket.close()
    far.route_socket.close()


@in_lab
def test_flushed_table_is_built_anew_by_the_next_change(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    first = lab.container(config, WEB)
    flush = Batch("windlass")
    flush.delete_table()
    with Connection.open(NETLINK_NETFILTER) as netfilter:
        flush.commit(netfilter)
    assert tcp_refused(neighbour, HOST_OUTSIDE_IP, 8080)
    second = lab.container(config, PortBinding(80, "tcp", "", 8081, 8081))
    tcp_reach(neighbour, HOST_OUTSIDE_IP, 8080, tcp_server(first, 80))
    tcp_reach(neighbour, HOST_OUTSIDE_IP, 8081, tcp_server(second, 80))


@in_lab
def test_two_daemons_share_a_host_and_stay_apart(lab: Lab) -> None:
    lab.neighbour()
    ours = lab.container(lab.network(0), WEB)
    first, lab.driver = lab.driver, BridgeDriver("windlass-two")
    theirs = lab.container(lab.network(1), PortBinding(80, "tcp", "", 8081, 8081))
    one, two = tcp_server(ours, 80), tcp_server(theirs, 80)
    assert tcp_silent(ours, theirs.ip, 80)
    tcp_reach(ours, HOST_OUTSIDE_IP, 8081, two)
    tcp_reach(theirs, HOST_OUTSIDE_IP, 8080, one)
    lab.driver.restore([network_config(1)], [])
    tcp_reach(lab, "127.0.0.1", 8080, one)
    first.destroy()


@in_lab
def test_table_reads_as_nft_would_write_it(lab: Lab) -> None:
    lab.container(lab.network(), WEB, PortBinding(53, "udp", "127.0.0.1", 5300, 5300))
    try:
        listing = subprocess.run(
            ["nft", "-s", "list", "table", "inet", "windlass"], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("needs nft(8)")
    assert listing.stdout == GOLDEN_TABLE.read_text()
