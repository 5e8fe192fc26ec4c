"""A host, its containers and its neighbours, in network namespaces of their own.

`@in_lab` runs a test in a forked child that has left for a fresh network namespace: that is "the host". The machine's
real one is never touched, and all of it goes with the child. The kernel completes TCP handshakes by itself, so one
thread plays all parties: a server's socket, a client's, each made in its own namespace.
"""

from __future__ import annotations

import functools
import inspect
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network

import pytest

from windlass.linux.namespaces import CLONE_NEWNET, setns, unshare
from windlass.netlink import rtnl, rtnl_read
from windlass.netlink.connection import NETLINK_ROUTE, Connection
from windlass.network.driver import BridgeDriver
from windlass.network.model import Endpoint, EndpointRequest, NetworkConfig, PortBinding

ANSWER_TIMEOUT_S = 5.0
SILENCE_TIMEOUT_S = 0.25
OUTSIDE = IPv4Network("192.0.2.0/24")
HOST_OUTSIDE_IP = "192.0.2.1"
_SKIPPED = 77
NEIGHBOUR_IP = "192.0.2.2"


class Namespace:
    """A network namespace; code under `with ns.entered():` runs in it, and sockets made there stay there."""

    def __init__(self, home_fd: int) -> None:
        self._home_fd = home_fd
        unshare(CLONE_NEWNET)
        self.fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.route_socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
        setns(home_fd, CLONE_NEWNET)

    @contextmanager
    def entered(self) -> Iterator[None]:
        setns(self.fd, CLONE_NEWNET)
        try:
            yield
        finally:
            setns(self._home_fd, CLONE_NEWNET)

    @property
    def route(self) -> Connection:
        return Connection(self.route_socket)


class Lab:
    """The host (the namespace we are in), one bridge driver, and what is attached to it."""

    def __init__(self) -> None:
        self.home_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.route = Connection.open(NETLINK_ROUTE)
        self.route.execute([rtnl.set_link("lo", up=True)])
        write_sysctl("ipv4/ip_forward", "0")  # inherited from the machine otherwise
        self.driver = BridgeDriver()

    def namespace(self) -> Namespace:
        return Namespace(self.home_fd)

    def network(self, number: int = 0, **options: object) -> NetworkConfig:
        """Ensure network 172.(17+number).0.0/16 on bridge windlass<number>."""
        config = network_config(number, **options)
        self.driver.ensure(config)
        return config

    def container(self, config: NetworkConfig, *ports: PortBinding, **wishes: object) -> Container:
        ns = self.namespace()
        request = EndpointRequest("c" * 64, ns.fd, ns.route_socket, ports=ports, **wishes)  # type: ignore[arg-type]
        return Container(ns, self.driver.attach(config, request))

    def neighbour(self, ip: str = NEIGHBOUR_IP, host_ip: str = HOST_OUTSIDE_IP, ifname: str = "ext0") -> Namespace:
        """Connect a host of the outside to our interface `ifname`."""
        ns = self.namespace()
        self.route.execute(
            [
                rtnl.create_veth(rtnl.VethEnd(ifname), rtnl.VethEnd("eth0", netns_fd=ns.fd)),
                rtnl.set_link(ifname, up=True),
            ]
        )
        index = rtnl_read.read_link(self.route.execute([rtnl_read.get_link_request(ifname)])[0]).index
        self.route.execute([rtnl.add_address(index, IPv4Address(host_ip), 24)])
        inside = rtnl_read.read_link(ns.route.execute([rtnl_read.get_link_request("eth0")])[0]).index
        ns.route.execute(
            [
                rtnl.set_link("lo", up=True),
                rtnl.set_link(inside, up=True),
                rtnl.add_address(inside, IPv4Address(ip), 24),
            ]
        )
        return ns

    def bridge_netfilter(self, value: str) -> None:
        """Say whether frames between ports of a bridge pass the IP chains ("1", the usual default) or not ("0")."""
        try:
            write_sysctl("bridge/bridge-nf-call-iptables", value)
        except FileNotFoundError:
            pytest.skip("this kernel has no br_netfilter")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The host is where we are; for symmetry with `Namespace`."""
        yield


class Container:
    """A namespace with an endpoint."""

    def __init__(self, ns: Namespace, endpoint: Endpoint) -> None:
        self.ns = ns
        self.endpoint = endpoint
        self.ip = str(endpoint.ip4)
        self.entered = ns.entered


def write_sysctl(name: str, value: str) -> None:
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write(value)


Place = Lab | Namespace | Container


def network_config(number: int = 0, **options: object) -> NetworkConfig:
    subnet = IPv4Network(f"172.{17 + number}.0.0/16")
    return NetworkConfig(
        id=str(number) * 64,
        name=f"net{number}",
        bridge_name=f"windlass{number}",
        subnet4=subnet,
        gateway4=subnet[1],
        **options,  # type: ignore[arg-type]
    )


def tcp_server(place: Place, port: int) -> socket.socket:
    with place.entered():
        server = socket.create_server(("0.0.0.0", port))
    server.settimeout(ANSWER_TIMEOUT_S)
    return server


def udp_server(place: Place, port: int) -> socket.socket:
    with place.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("0.0.0.0", port))
    server.settimeout(ANSWER_TIMEOUT_S)
    return server


def tcp_reach(client: Place, ip: str, port: int, server: socket.socket) -> str:
    """Connect, send a word both ways, and return the client's address as the server sees it."""
    with client.entered(), socket.create_connection((ip, port), timeout=ANSWER_TIMEOUT_S) as near:
        far, peer = server.accept()
        with far:
            near.sendall(b"ping")
            assert far.recv(16) == b"ping"
            far.sendall(b"pong")
            assert near.recv(16) == b"pong"
    return str(peer[0])


def udp_reach(client: Place, ip: str, port: int, server: socket.socket) -> str:
    with client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        near.settimeout(ANSWER_TIMEOUT_S)
        near.connect((ip, port))  # so that only answers from this very address are taken
        near.send(b"ping")
        data, peer = server.recvfrom(16)
        assert data == b"ping"
        server.sendto(b"pong", peer)
        assert near.recv(16) == b"pong"
    return str(peer[0])


def tcp_silent(client: Place, ip: str, port: int) -> bool:
    """Tell whether connecting gets no answer: the packet was dropped."""
    with client.entered():
        try:
            socket.create_connection((ip, port), timeout=SILENCE_TIMEOUT_S).close()
        except TimeoutError:
            return True
        except OSError:
            return False
    return False


def tcp_refused(client: Place, ip: str, port: int) -> bool:
    with client.entered():
        try:
            socket.create_connection((ip, port), timeout=ANSWER_TIMEOUT_S).close()
        except ConnectionRefusedError:
            return True
    return False


def udp_silent(server: socket.socket) -> bool:
    """Tell whether nothing has come to a UDP server."""
    server.settimeout(SILENCE_TIMEOUT_S)
    try:
        server.recvfrom(16)
    except TimeoutError:
        return True
    return False


def in_lab(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test, whose first parameter is a `Lab`, in a child in its own network namespace."""

    @functools.wraps(test)
    def run(**arguments: object) -> None:
        report_read, report_write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(report_read)
            os._exit(_child(test, arguments, report_write))
        os.close(report_write)
        with os.fdopen(report_read, "rb") as pipe:
            report = pipe.read().decode(errors="replace")
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == _SKIPPED:
            pytest.skip(report)
        if report or status:
            pytest.fail(report or f"the lab ended with status {status}", pytrace=False)

    # pytest reads the signature to find fixtures: it must not see the lab.
    parameters = list(inspect.signature(test).parameters.values())[1:]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _child(test: Callable[..., None], arguments: dict[str, object], report: int) -> int:
    try:
        unshare(CLONE_NEWNET)
        test(Lab(), **arguments)
    except pytest.skip.Exception as skip:
        os.write(report, str(skip).encode())
        return _SKIPPED
    except BaseException:
        sys.stdout.flush()
        os.write(report, traceback.format_exc().encode()[:60000])
        return 1
    return 0
