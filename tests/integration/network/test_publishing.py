"""Published ports, from everywhere a client can stand."""

from __future__ import annotations

import errno
import socket
import struct

import pytest
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    Lab,
    in_lab,
    tcp_reach,
    tcp_refused,
    tcp_server,
    tcp_silent,
    udp_reach,
    udp_server,
    udp_silent,
)

from windlass.netlink import nft_read
from windlass.netlink.connection import NETLINK_NETFILTER, Connection
from windlass.network import sysctl
from windlass.network.errors import NetworkSetupFailed, PortAllocated, PortBusy, PortsExhausted
from windlass.network.model import EndpointRequest, PortBinding
from windlass.network.port_table import FALLBACK_RANGE

pytestmark = [pytest.mark.root, pytest.mark.net]

WEB = PortBinding(80, "tcp", "", 8080, 8080)
DNS = PortBinding(53, "udp", "", 5300, 5300)


@in_lab
def test_neighbour_reaches_published_tcp_port_and_is_seen_by_its_own_address(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network(), WEB)
    assert tcp_reach(neighbour, HOST_OUTSIDE_IP, 8080, tcp_server(container, 80)) == "192.0.2.2"


@in_lab
def test_neighbour_reaches_published_udp_port_and_the_answer_comes_from_where_it_asked(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network(), DNS)
    assert udp_reach(neighbour, HOST_OUTSIDE_IP, 5300, udp_server(container, 53)) == "192.0.2.2"


@in_lab
def test_host_reaches_published_port_by_any_of_its_addresses(lab: Lab) -> None:
    lab.neighbour()
    container = lab.container(lab.network(), WEB)
    server = tcp_server(container, 80)
    assert tcp_reach(lab, "127.0.0.1", 8080, server) == "172.17.0.1"
    tcp_reach(lab, "127.0.0.2", 8080, server)
    tcp_reach(lab, HOST_OUTSIDE_IP, 8080, server)
    tcp_reach(lab, "172.17.0.1", 8080, server)


@in_lab
def test_host_reaches_published_udp_port_by_loopback(lab: Lab) -> None:
    container = lab.container(lab.network(), DNS)
    assert udp_reach(lab, "127.0.0.1", 5300, udp_server(container, 53)) == "172.17.0.1"


@in_lab
def test_containers_reach_published_port_by_the_hosts_address(lab: Lab) -> None:
    lab.neighbour()
    first, second = lab.network(0), lab.network(1)
    container = lab.container(first, WEB)
    server = tcp_server(container, 80)
    tcp_reach(lab.container(first), "172.17.0.1", 8080, server)
    tcp_reach(lab.container(first), HOST_OUTSIDE_IP, 8080, server)
    tcp_reach(lab.container(second), HOST_OUTSIDE_IP, 8080, server)


@pytest.mark.parametrize("bridge_netfilter", ["0", "1"])
@in_lab
def test_container_reaches_itself_by_its_published_port(lab: Lab, bridge_netfilter: str) -> None:
    lab.bridge_netfilter(bridge_netfilter)
    container = lab.container(lab.network(), WEB)
    assert tcp_reach(container, "172.17.0.1", 8080, tcp_server(container, 80)) == "172.17.0.1"


@pytest.mark.parametrize("bridge_netfilter", ["0", "1"])
@in_lab
def test_neighbour_on_the_same_bridge_reaches_published_port(lab: Lab, bridge_netfilter: str) -> None:
    lab.bridge_netfilter(bridge_netfilter)
    config = lab.network()
    container, other = lab.container(config, WEB), lab.container(config)
    tcp_reach(other, "172.17.0.1", 8080, tcp_server(container, 80))


@in_lab
def test_port_bound_to_one_address_answers_on_that_address_only(lab: Lab) -> None:
    near, far = lab.neighbour(), lab.neighbour("198.51.100.2", "198.51.100.1", "ext1")
    container = lab.container(lab.network(), PortBinding(80, "tcp", HOST_OUTSIDE_IP, 8080, 8080))
    tcp_reach(near, HOST_OUTSIDE_IP, 8080, tcp_server(container, 80))
    assert tcp_refused(far, "198.51.100.1", 8080)
    assert tcp_refused(lab, "127.0.0.1", 8080)


@in_lab
def test_port_bound_to_loopback_is_for_the_host_alone(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    container = lab.container(config, PortBinding(80, "tcp", "127.0.0.1", 8080, 8080))
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(container, 80))
    assert tcp_refused(neighbour, HOST_OUTSIDE_IP, 8080)
    assert tcp_refused(lab.container(config), "172.17.0.1", 8080)


@in_lab
def test_same_port_on_two_addresses_leads_to_two_containers(lab: Lab) -> None:
    lab.neighbour()
    config = lab.network()
    one = lab.container(config, PortBinding(80, "tcp", HOST_OUTSIDE_IP, 8080, 8080))
    two = lab.container(config, PortBinding(80, "tcp", "127.0.0.1", 8080, 8080))
    tcp_reach(lab, HOST_OUTSIDE_IP, 8080, tcp_server(one, 80))
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(two, 80))


@in_lab
def test_port_of_another_container_is_refused_in_dockerds_words(lab: Lab) -> None:
    config = lab.network()
    lab.container(config, WEB)
    with pytest.raises(PortAllocated, match=r"^Bind for 0\.0\.0\.0:8080 failed: port is already allocated$"):
        lab.container(config, WEB)
    with pytest.raises(PortAllocated, match=r"^Bind for 127\.0\.0\.1:8080 failed: port is already allocated$"):
        lab.container(config, PortBinding(80, "tcp", "127.0.0.1", 8080, 8080))


@in_lab
def test_port_of_a_process_is_refused_in_dockerds_words_and_nothing_remains(lab: Lab) -> None:
    config = lab.network()
    server = tcp_server(lab, 8080)
    with pytest.raises(PortBusy, match=r"^listen tcp4 0\.0\.0\.0:8080: bind: address already in use$"):
        lab.container(config, PortBinding(81, "tcp", "", 8081, 8081), WEB)
    server.close()
    container = lab.container(config, PortBinding(81, "tcp", "", 8081, 8081), WEB)
    assert container.ip != "172.17.0.1"
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(container, 80))


@in_lab
def test_address_that_is_not_the_hosts_is_refused(lab: Lab) -> None:
    with pytest.raises(PortBusy, match=r"listen tcp4 203\.0\.113\.9:8080: bind: cannot assign requested address"):
        lab.container(lab.network(), PortBinding(80, "tcp", "203.0.113.9", 8080, 8080))


@in_lab
def test_held_port_is_not_to_be_had_by_processes_of_the_host(lab: Lab) -> None:
    lab.container(lab.network(), WEB, DNS)
    with pytest.raises(OSError, match="in use"), socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("0.0.0.0", 8080))
        sock.listen()
    with pytest.raises(OSError, match="in use"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 5300))


@in_lab
def test_port_is_to_be_had_while_connections_of_an_earlier_server_are_in_time_wait(lab: Lab) -> None:
    server = tcp_server(lab, 8080)
    near = socket.create_connection(("127.0.0.1", 8080))
    far, _peer = server.accept()
    far.close()  # the server's side closes first, and keeps the port in TIME_WAIT
    assert near.recv(1) == b""
    near.close()
    server.close()
    with socket.socket() as probe, pytest.raises(OSError, match="in use"):
        probe.bind(("0.0.0.0", 8080))
    container = lab.container(lab.network(), WEB)
    with pytest.raises(OSError, match="in use"):
        tcp_server(lab, 8080)
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(container, 80))


@in_lab
def test_ephemeral_ports_go_round_and_skip_what_is_taken(lab: Lab) -> None:
    config = lab.network()
    first = lab.container(config, PortBinding(80), PortBinding(81)).endpoint
    one, two = (port.host_port for port in first.ports)
    low, high = sysctl.ephemeral_ports() or FALLBACK_RANGE
    assert low <= one < two <= high
    lab.driver.detach(first)
    busy = tcp_server(lab, two + 1)
    again = lab.container(config, PortBinding(80)).endpoint.ports[0].host_port
    assert again == two + 2, "a port that was just freed is not the next to be used, a busy one is skipped"
    busy.close()


@in_lab
def test_port_is_picked_from_a_range_until_it_is_used_up(lab: Lab) -> None:
    config = lab.network()
    wish = PortBinding(80, "tcp", "", 9000, 9001)
    picked = {lab.container(config, wish).endpoint.ports[0].host_port for _ in range(2)}
    assert picked == {9000, 9001}
    with pytest.raises(PortsExhausted, match="all ports are allocated"):
        lab.container(config, wish)


@in_lab
def test_unpublish_frees_the_port_before_the_container_is_detached(lab: Lab) -> None:
    config = lab.network()
    container = lab.container(config, WEB)
    lab.driver.unpublish(container.endpoint)
    successor = lab.container(config, WEB)
    tcp_reach(lab, "127.0.0.1", 8080, tcp_server(successor, 80))
    lab.driver.detach(container.endpoint)
    with pytest.raises(PortAllocated):
        lab.container(config, WEB)


@in_lab
def test_sctp_is_redirected_also_where_the_host_does_not_speak_it(lab: Lab) -> None:
    lab.container(lab.network(), PortBinding(36412, "sctp", "", 36412, 36412))
    with Connection.open(NETLINK_NETFILTER) as netfilter:
        keys = [element.key for element in nft_read.elements(netfilter, "windlass", "publish_any")]
    assert keys == [bytes([132, 0, 0, 0]) + struct.pack(">H", 36412) + bytes(2)]


@in_lab
def test_udp_port_bound_to_loopback_is_deaf_to_neighbours(lab: Lab) -> None:
    neighbour = lab.neighbour()
    container = lab.container(lab.network(), PortBinding(53, "udp", "127.0.0.1", 5300, 5300))
    server = udp_server(container, 53)
    udp_reach(lab, "127.0.0.1", 5300, server)
    with neighbour.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"ping", (HOST_OUTSIDE_IP, 5300))
    assert udp_silent(server)


@in_lab
def test_internal_network_publishes_nothing(lab: Lab) -> None:
    container = lab.container(lab.network(internal=True), WEB)
    assert container.endpoint.ports == ()
    assert tcp_refused(lab, "127.0.0.1", 8080)


@in_lab
def test_failed_attach_gives_back_address_port_and_link(lab: Lab) -> None:
    config = lab.network()
    container = lab.container(config)
    # eth0 exists already in that namespace: the pair cannot be made.
    request = EndpointRequest("d" * 64, container.ns.fd, container.ns.route_socket, ports=(WEB,))
    with pytest.raises(NetworkSetupFailed, match=r"create veth wl.*File exists") as failure:
        lab.driver.attach(config, request)
    assert isinstance(failure.value.__cause__, OSError)
    assert failure.value.__cause__.errno == errno.EEXIST
    assert tcp_silent(lab, "127.0.0.1", 8080) is False
    tcp_server(lab, 8080).close()


@in_lab
def test_client_that_was_sending_before_the_port_was_published_gets_through(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    with neighbour.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"early", (HOST_OUTSIDE_IP, 5300))  # nobody is there: a flow to the host itself begins
    container = lab.container(config, DNS)
    server = udp_server(container, 53)
    client.sendto(b"late", (HOST_OUTSIDE_IP, 5300))
    assert server.recv(16) == b"late"


@in_lab
def test_client_that_goes_on_sending_reaches_the_next_container(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    first = lab.container(config, DNS)
    with neighbour.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server = udp_server(first, 53)
    client.sendto(b"one", (HOST_OUTSIDE_IP, 5300))
    assert server.recv(16) == b"one"
    lab.driver.unpublish(first.endpoint)
    lab.driver.detach(first.endpoint)
    second = lab.container(config, DNS)
    assert second.ip != first.ip
    server = udp_server(second, 53)
    client.sendto(b"two", (HOST_OUTSIDE_IP, 5300))
    assert server.recv(16) == b"two"


@in_lab
def test_client_that_goes_on_sending_does_not_reach_the_next_owner_of_the_address(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network()
    first = lab.container(config, DNS)
    with neighbour.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server = udp_server(first, 53)
    client.sendto(b"one", (HOST_OUTSIDE_IP, 5300))
    assert server.recv(16) == b"one"
    lab.driver.detach(first.endpoint)
    second = lab.container(config, requested_ip=first.endpoint.ip4)
    server = udp_server(second, 53)
    client.sendto(b"two", (HOST_OUTSIDE_IP, 5300))
    assert udp_silent(server), "it publishes nothing"
