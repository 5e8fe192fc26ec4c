"""Port specifications as the API brings them."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.network.errors import InvalidPortSpec, UnsupportedHostAddress
from windlass.network.model import PortBinding, PublishedPort
from windlass.network.ports import bindings, parse_exposed, parse_range, port_map
from windlass.spec.container import PortBinding as ApiBinding


@pytest.mark.parametrize(
    ("spec", "ports", "protocol"),
    [
        ("80", range(80, 81), "tcp"),
        ("80/tcp", range(80, 81), "tcp"),
        ("53/UDP", range(53, 54), "udp"),
        ("8000-8010/sctp", range(8000, 8011), "sctp"),
        ("65535/tcp", range(65535, 65536), "tcp"),
    ],
)
def test_exposed_key(spec: str, ports: range, protocol: str) -> None:
    assert parse_exposed(spec) == (ports, protocol)


@pytest.mark.parametrize(
    "spec", ["", "/tcp", "http/tcp", "0/tcp", "65536", "80-/tcp", "90-80/tcp", "-1", "²", " 80", "8_0"]
)
def test_malformed_exposed_key_is_refused_whole(spec: str) -> None:
    with pytest.raises(InvalidPortSpec, match=r"^invalid port specification: "):
        parse_exposed(spec)


def test_unknown_protocol_is_refused() -> None:
    with pytest.raises(InvalidPortSpec, match=r"^invalid proto: icmp$"):
        parse_exposed("80/icmp")
    with pytest.raises(InvalidPortSpec, match=r"^invalid proto: $"):
        parse_exposed("80/")


def test_ranges() -> None:
    assert parse_range("") == (0, 0)
    assert parse_range("80") == (80, 80)
    assert parse_range("80-90") == (80, 90)
    with pytest.raises(InvalidPortSpec, match="invalid port range: 90-80"):
        parse_range("90-80")


@given(st.text(max_size=12))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        ports, protocol = parse_exposed(text)
    except InvalidPortSpec:
        return
    assert 0 < ports[0] <= ports[-1] <= 65535 and protocol in ("tcp", "udp", "sctp")


def test_bindings_are_sorted_and_complete() -> None:
    wanted = bindings(
        ["443/tcp"],
        {
            "80/tcp": [ApiBinding("", "8080"), ApiBinding("127.0.0.1", "8081")],
            "53/udp": [ApiBinding("0.0.0.0", "")],
            "22/tcp": [ApiBinding("", "2200-2210")],
        },
    )
    assert wanted == (
        PortBinding(22, "tcp", "", 2200, 2210),
        PortBinding(53, "udp", "0.0.0.0", 0, 0),
        PortBinding(80, "tcp", "", 8080, 8080),
        PortBinding(80, "tcp", "127.0.0.1", 8081, 8081),
    )


@pytest.mark.parametrize("entries", [None, []])
def test_binding_without_entries_asks_for_an_ephemeral_port(entries: list[ApiBinding] | None) -> None:
    assert bindings([], {"80/tcp": entries}) == (PortBinding(80),)


def test_publish_all_takes_what_is_exposed_and_not_bound() -> None:
    wanted = bindings(
        ["80/tcp", "81/tcp", "81/tcp", "53/udp", "90-91/tcp"], {"80/tcp": [ApiBinding("", "8080")]}, publish_all=True
    )
    assert [(b.container_port, b.protocol, b.host_port_start) for b in wanted] == [
        (53, "udp", 0),
        (80, "tcp", 8080),
        (81, "tcp", 0),
        (90, "tcp", 0),
        (91, "tcp", 0),
    ]


def test_default_address_stands_in_for_an_empty_one() -> None:
    wanted = bindings(["81/tcp"], {"80/tcp": [ApiBinding("", "8080")]}, publish_all=True, default_host_ip="127.0.0.1")
    assert {b.host_ip for b in wanted} == {"127.0.0.1"}


def test_range_of_container_ports_goes_to_a_range_of_host_ports() -> None:
    wanted = bindings([], {"80-82/tcp": [ApiBinding("", "8080-8082")]})
    assert [(b.container_port, b.host_port_start, b.host_port_end) for b in wanted] == [
        (80, 8080, 8080),
        (81, 8081, 8081),
        (82, 8082, 8082),
    ]
    with pytest.raises(InvalidPortSpec, match="invalid ranges specified"):
        bindings([], {"80-82/tcp": [ApiBinding("", "8080-8081")]})


def test_host_addresses_are_checked() -> None:
    with pytest.raises(InvalidPortSpec, match=r"invalid IP address: example\.org"):
        bindings([], {"80/tcp": [ApiBinding("example.org", "80")]})
    for address in ("::1", "[::1]", "::"):
        with pytest.raises(UnsupportedHostAddress):
            bindings([], {"80/tcp": [ApiBinding(address, "80")]})


def test_ports_of_network_settings() -> None:
    published = [
        PublishedPort(80, "tcp", IPv4Address("0.0.0.0"), 8080),
        PublishedPort(80, "tcp", IPv4Address("127.0.0.1"), 8081),
    ]
    assert port_map(published, ["80/tcp", "443/tcp"]) == {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "443/tcp": None,
    }
