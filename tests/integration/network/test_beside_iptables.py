"""Beside an iptables FORWARD chain whose policy is DROP, as dockerd leaves it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    NEIGHBOUR_IP,
    Lab,
    in_lab,
    tcp_reach,
    tcp_server,
    tcp_silent,
)

from windlass.netlink import rtnl, rtnl_read
from windlass.network.driver import BridgeDriver
from windlass.network.model import PortBinding

pytestmark = [
    pytest.mark.root,
    pytest.mark.net,
    pytest.mark.skipif(shutil.which("iptables-nft") is None, reason="needs iptables-nft"),
]

WEB = PortBinding(80, "tcp", "", 8080, 8080)


def iptables(*arguments: str) -> str:
    return subprocess.run(["iptables-nft", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("bridge_netfilter", ["0", "1"])
@pytest.mark.parametrize("they_come", ["first", "later"])
@in_lab
def test_containers_are_connected_in_spite_of_it(lab: Lab, they_come: str, bridge_netfilter: str) -> None:
    lab.bridge_netfilter(bridge_netfilter)
    neighbour = lab.neighbour()
    if they_come == "first":
        iptables("-P", "FORWARD", "DROP")
    config = lab.network()
    if they_come == "later":
        iptables("-P", "FORWARD", "DROP")
    one, two = lab.container(config, WEB), lab.container(config)
    tcp_reach(one, NEIGHBOUR_IP, 7000, tcp_server(neighbour, 7000))
    server = tcp_server(one, 80)
    tcp_reach(neighbour, HOST_OUTSIDE_IP, 8080, server)
    tcp_reach(two, one.ip, 80, server)


@in_lab
def test_our_own_rules_still_hold(lab: Lab) -> None:
    iptables("-P", "FORWARD", "DROP")
    one, two = lab.container(lab.network(0)), lab.container(lab.network(1))
    tcp_server(two, 80)
    assert tcp_silent(one, two.ip, 80)


@in_lab
def test_their_containers_stay_theirs_to_protect(lab: Lab) -> None:
    iptables("-P", "FORWARD", "DROP")
    lab.route.execute([rtnl.create_bridge("docker0", bytes.fromhex("020000000001"))])
    theirs = lab.neighbour("192.0.2.2", "192.0.2.1", "docker9")
    tcp_server(theirs, 80)
    assert tcp_silent(lab.container(lab.network()), "192.0.2.2", 80)


@in_lab
def test_iptables_can_read_what_we_wrote(lab: Lab) -> None:
    iptables("-P", "FORWARD", "DROP")
    lab.network()
    listing = iptables("-S").splitlines()
    assert listing == [
        "-P INPUT ACCEPT",
        "-P FORWARD DROP",
        "-P OUTPUT ACCEPT",
        "-N WINDLASS-FORWARD",
        "-A FORWARD -j WINDLASS-FORWARD",
        "-A WINDLASS-FORWARD -o windlass0 -j ACCEPT",
        "-A WINDLASS-FORWARD -i windlass0 -o docker+ -j RETURN",
        "-A WINDLASS-FORWARD -i windlass0 -o br-+ -j RETURN",
        "-A WINDLASS-FORWARD -i windlass0 -o podman+ -j RETURN",
        "-A WINDLASS-FORWARD -i windlass0 -o cni+ -j RETURN",
        "-A WINDLASS-FORWARD -i windlass0 -o virbr+ -j RETURN",
        "-A WINDLASS-FORWARD -i windlass0 -j ACCEPT",
    ]
    iptables("-I", "FORWARD", "1", "-i", "lo", "-j", "ACCEPT")


@in_lab
def test_policy_that_accepts_is_left_alone(lab: Lab) -> None:
    iptables("-P", "FORWARD", "ACCEPT")
    lab.container(lab.network())
    assert "WINDLASS" not in iptables("-S")


@in_lab
def test_flushed_chain_comes_back_and_a_restart_adds_no_second_jump(lab: Lab) -> None:
    iptables("-P", "FORWARD", "DROP")
    config = lab.network()
    iptables("-F", "FORWARD")
    lab.container(config)
    assert iptables("-S", "FORWARD").count("WINDLASS-FORWARD") == 1
    lab.driver.close()
    lab.driver = BridgeDriver()
    lab.driver.restore([config], [])
    assert iptables("-S", "FORWARD").count("WINDLASS-FORWARD") == 1


@in_lab
def test_destroy_takes_it_away(lab: Lab) -> None:
    iptables("-P", "FORWARD", "DROP")
    before = iptables("-S")
    lab.network()
    lab.driver.destroy()
    assert iptables("-S") == before
    assert rtnl_read.find_link(lab.route, "windlass0") is None
