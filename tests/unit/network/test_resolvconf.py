"""A container's resolv.conf from the host's."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from windlass.network.resolvconf import ResolvConf, for_container, parse, read_host

HOST = """\
# a comment
; another
nameserver 192.0.2.53
nameserver 127.0.0.1
nameserver 2001:db8::53
nameserver not-an-address
domain old.example
search a.example b.example
options ndots:2
options edns0 trust-ad
sortlist 130.155.160.0
"""


def test_parsing() -> None:
    assert parse(HOST) == ResolvConf(
        nameservers=("192.0.2.53", "127.0.0.1", "2001:db8::53"),
        search=("a.example", "b.example"),
        options=("ndots:2", "edns0", "trust-ad"),
        other=("sortlist 130.155.160.0",),
    )


def test_container_gets_what_works_inside() -> None:
    assert for_container(parse(HOST)).render() == (
        "nameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 edns0 trust-ad\nsortlist 130.155.160.0\n"
    )


def test_network_with_ipv6_keeps_ipv6_nameservers() -> None:
    assert for_container(parse(HOST), ipv6=True).nameservers == ("192.0.2.53", "2001:db8::53")


def test_public_nameservers_stand_in_where_none_is_left() -> None:
    assert for_container(parse("nameserver 127.0.0.1\nnameserver ::1\n")).render() == (
        "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
    )
    assert for_container(ResolvConf()).nameservers == ("8.8.8.8", "8.8.4.4")


def test_what_the_user_asks_for_is_not_filtered() -> None:
    made = for_container(parse(HOST), dns=["127.0.0.1"], dns_search=["x.example"], dns_options=["timeout:1"])
    assert made.render() == "nameserver 127.0.0.1\nsearch x.example\noptions timeout:1\nsortlist 130.155.160.0\n"


def test_search_domain_dot_means_none() -> None:
    assert for_container(parse(HOST), dns_search=["."]).search == ()


def test_servers_behind_the_stub_listener_are_found(tmp_path: Path) -> None:
    stub, behind = tmp_path / "stub", tmp_path / "behind"
    stub.write_text("nameserver 127.0.0.53\nsearch stub.example\n")
    assert read_host(str(stub), str(behind)).nameservers == ("127.0.0.53",)
    behind.write_text("nameserver 192.0.2.1\nsearch real.example\n")
    assert read_host(str(stub), str(behind)) == ResolvConf(("192.0.2.1",), ("real.example",))


def test_other_loopback_nameservers_are_no_stub(tmp_path: Path) -> None:
    host, behind = tmp_path / "host", tmp_path / "behind"
    host.write_text("nameserver 127.0.0.1\n")
    behind.write_text("nameserver 192.0.2.1\n")
    assert read_host(str(host), str(behind)).nameservers == ("127.0.0.1",)


def test_missing_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_host(str(tmp_path / "none"), str(tmp_path / "neither")) == ResolvConf()


@given(st.text())
def test_any_host_file_yields_a_file_that_reads_the_same(text: str) -> None:
    made = for_container(parse(text))
    assert made.nameservers
    assert parse(made.render()).nameservers == made.nameservers
