"""CVE-2025-54388 and CVE-2025-54410: a reload of firewalld dropped dockerd's rules, and opened what they had closed.

Our table is our own: reloads of others do not touch it. If it is flushed all the same, nothing is redirected any more,
and the next change builds it anew, whole.
"""

from __future__ import annotations

import pytest
from tests.support.network_lab import (
    HOST_OUTSIDE_IP,
    Lab,
    in_lab,
    tcp_reach,
    tcp_refused,
    tcp_server,
    tcp_silent,
)

from windlass.netlink.connection import NETLINK_NETFILTER, Connection
from windlass.netlink.nftables import Batch
from windlass.network.model import PortBinding

pytestmark = [pytest.mark.root, pytest.mark.net]


def drop_table(name: str) -> None:
    batch = Batch(name)
    batch.add_table()
    batch.delete_table()
    with Connection.open(NETLINK_NETFILTER) as netfilter:
        batch.commit(netfilter)


@in_lab
def test_reload_of_another_firewall_leaves_ours_alone(lab: Lab) -> None:
    neighbour = lab.neighbour()
    one = lab.container(lab.network(0), PortBinding(80, "tcp", "127.0.0.1", 8080, 8080))
    two = lab.container(lab.network(1))
    server = tcp_server(one, 80)
    drop_table("firewalld")
    tcp_reach(lab, "127.0.0.1", 8080, server)
    assert tcp_refused(neighbour, HOST_OUTSIDE_IP, 8080)
    assert tcp_silent(two, one.ip, 80)


@in_lab
def test_flushed_table_redirects_nothing_and_comes_back_whole(lab: Lab) -> None:
    neighbour = lab.neighbour()
    config = lab.network(0)
    one = lab.container(config, PortBinding(80, "tcp", "127.0.0.1", 8080, 8080))
    two = lab.container(lab.network(1))
    server = tcp_server(one, 80)
    drop_table("windlass")
    assert tcp_refused(neighbour, HOST_OUTSIDE_IP, 8080)
    lab.container(config, PortBinding(80, "tcp", "", 8081, 8081))
    tcp_reach(lab, "127.0.0.1", 8080, server)
    assert tcp_refused(neighbour, HOST_OUTSIDE_IP, 8080)
    assert tcp_silent(two, one.ip, 80)
