"""/etc/hosts and /etc/hostname, line for line."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.network.hostfiles import hostname_file, hosts_file

LOCAL = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def test_container_knows_itself() -> None:
    assert hosts_file("web", ["172.17.0.2"]) == LOCAL + "172.17.0.2\tweb\n"


def test_full_name_comes_with_the_bare_one() -> None:
    assert hosts_file("web", ["172.17.0.2"], domainname="example.org").endswith("172.17.0.2\tweb.example.org web\n")
    assert hosts_file("web.example.org", ["172.17.0.2"]).endswith("172.17.0.2\tweb.example.org web\n")


def test_without_a_network_there_is_only_localhost() -> None:
    assert hosts_file("web") == LOCAL


def test_extra_hosts() -> None:
    made = hosts_file(
        "web",
        ["172.17.0.2"],
        extra_hosts=["db:10.0.0.5", "six:2001:db8::1", "seven=[2001:db8::7]", "up:host-gateway"],
        host_gateway="172.17.0.1",
    )
    assert made == (LOCAL + "10.0.0.5\tdb\n2001:db8::1\tsix\n2001:db8::7\tseven\n172.17.0.1\tup\n172.17.0.2\tweb\n")


def test_host_gateway_needs_one() -> None:
    with pytest.raises(InvalidParameter, match=r"^unable to derive the IP value for host-gateway$"):
        hosts_file("web", extra_hosts=["up:host-gateway"])


@pytest.mark.parametrize("entry", ["db", ":10.0.0.1", "", "a b:10.0.0.1", "db:10.0.0.1\n6.6.6.6\tevil"])
def test_malformed_extra_host_is_refused(entry: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^bad format for add-host: "):
        hosts_file("web", extra_hosts=[entry])


def test_extra_host_needs_an_address() -> None:
    with pytest.raises(InvalidParameter, match=r'^invalid IP address in add-host: "nowhere"$'):
        hosts_file("web", extra_hosts=["db:nowhere"])


def test_hostname() -> None:
    assert hostname_file("web") == "web\n"
