"""Networks that users ask for, and the default one."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from windlass.base.errors import Forbidden, InvalidParameter, NotSupported, WindlassError
from windlass.engine.networks.request import NetworkRequest, check_request, default_bridge, planned_network
from windlass.engine.settings import EngineSettings

_FREE = IPv4Network("172.30.0.0/16")


def test_a_network_on_a_free_subnet() -> None:
    record = planned_network(NetworkRequest("net"), _FREE, 1500)
    assert (record.subnet, record.gateway, record.mtu) == ("172.30.0.0/16", "172.30.0.1", 1500)
    assert record.bridge_name == f"wl-{record.id[:12]}" and len(record.bridge_name) == 15


def test_what_was_asked_for_counts() -> None:
    options = {
        "com.docker.network.bridge.name": "mine0",
        "com.docker.network.bridge.enable_icc": "false",
        "com.docker.network.driver.mtu": "1400",
    }
    request = NetworkRequest("net", subnet="10.1.2.9/24", gateway="10.1.2.254", options=options, internal=True)
    record = planned_network(request, None, 1500)
    assert (record.subnet, record.gateway, record.bridge_name) == ("10.1.2.0/24", "10.1.2.254", "mine0")
    assert (record.icc, record.masquerade, record.mtu, record.internal) == (False, True, 1400, True)


@pytest.mark.parametrize(
    ("request_", "kind", "text"),
    [
        (NetworkRequest(" "), InvalidParameter, "name is empty"),
        (NetworkRequest("host"), Forbidden, "operation is not permitted on predefined host network"),
        (NetworkRequest("net", driver="overlay"), NotSupported, "could not find plugin overlay"),
        (NetworkRequest("net", enable_ipv6=True), NotSupported, "IPv6"),
    ],
)
def test_what_is_refused(request_: NetworkRequest, kind: type[WindlassError], text: str) -> None:
    with pytest.raises(kind, match=text):
        check_request(request_)


@pytest.mark.parametrize(
    "request_",
    [
        NetworkRequest("net", subnet="10.0.0.0/99"),
        NetworkRequest("net", subnet="10.0.0.0/8", gateway="nowhere"),
        NetworkRequest("net", subnet="10.0.0.0/8", options={"com.docker.network.driver.mtu": "1; rm"}),
    ],
)
def test_malformed_addresses(request_: NetworkRequest) -> None:
    with pytest.raises(InvalidParameter):
        planned_network(request_, None, 1500)


def test_the_default_bridge_keeps_its_identity_and_follows_the_settings() -> None:
    settings = EngineSettings("0", "/d", "/r")
    first = default_bridge(settings, None, _FREE)
    again = default_bridge(settings, first, None)
    assert (again.id, again.created_ns, again.subnet) == (first.id, first.created_ns, first.subnet)
    moved = default_bridge(EngineSettings("0", "/d", "/r", bridge_address="192.168.9.1/24", icc=False), first, None)
    assert (moved.id, moved.subnet, moved.gateway, moved.icc) == (first.id, "192.168.9.0/24", "192.168.9.1", False)
    with pytest.raises(InvalidParameter, match="invalid CIDR address: nonsense"):
        default_bridge(EngineSettings("0", "/d", "/r", bridge_address="nonsense"), None, None)
