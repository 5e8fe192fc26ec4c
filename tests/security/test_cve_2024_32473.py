"""CVE-2024-32473: on networks without IPv6, containers and the host's side had IPv6 addresses nobody filtered."""

from __future__ import annotations

import socket

import pytest
from tests.support.network_lab import Lab, in_lab, write_sysctl

from windlass.netlink import rtnl_read

pytestmark = [pytest.mark.root, pytest.mark.net]


@in_lab
def test_network_without_ipv6_has_no_ipv6_addresses_at_either_end(lab: Lab) -> None:
    write_sysctl("ipv6/conf/default/disable_ipv6", "0")
    container = lab.container(lab.network())
    outside = [a.address for a in rtnl_read.addresses(lab.route, socket.AF_INET6)]
    inside = [a.address for a in rtnl_read.addresses(container.ns.route, socket.AF_INET6)]
    assert [a for a in outside if not a.is_loopback] == []
    assert [a for a in inside if not a.is_loopback] == []
