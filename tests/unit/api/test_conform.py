"""Keys in any case, nulls as zero values."""

from __future__ import annotations

import pytest

from windlass.api.conform import conform
from windlass.api.detach_keys import parse_detach_keys
from windlass.base.errors import InvalidParameter
from windlass.spec.container import ContainerConfig, HostConfig, NetworkingConfig


def test_keys_are_spelled_as_the_struct_does() -> None:
    tree = {
        "image": "x",
        "EXPOSEDPORTS": {"80/tcp": {}},
        "Unknown": 1,
        "healthcheck": {"TEST": ["NONE"], "retries": None},
    }
    assert conform(tree, ContainerConfig) == {
        "Image": "x",
        "ExposedPorts": {"80/tcp": {}},
        "Unknown": 1,
        "Healthcheck": {"Test": ["NONE"]},
    }


def test_keys_of_maps_are_data() -> None:
    tree = {"Labels": {"Image": "x", "image": "y"}, "Env": None}
    assert conform(tree, ContainerConfig) == {"Labels": {"Image": "x", "image": "y"}}


def test_null_stays_where_a_map_may_hold_it() -> None:
    assert conform({"EndpointsConfig": {"n1": None}}, NetworkingConfig) == {"EndpointsConfig": {"n1": None}}
    ports = {"portbindings": {"80/tcp": None, "81/tcp": [{"hostport": "1"}]}}
    assert conform(ports, HostConfig) == {"PortBindings": {"80/tcp": None, "81/tcp": [{"HostPort": "1"}]}}


def test_lists_of_structs() -> None:
    assert conform({"mounts": [{"target": "/x", "bindoptions": None}]}, HostConfig) == {"Mounts": [{"Target": "/x"}]}


@pytest.mark.parametrize(
    ("text", "keys"),
    [("ctrl-p,ctrl-q", b"\x10\x11"), ("a", b"a"), ("ctrl-@", b"\0"), ("ctrl-[,x", b"\x1bx"), ("CTRL-A", b"\1")],
)
def test_detach_keys(text: str, keys: bytes) -> None:
    assert parse_detach_keys(text) == keys


@pytest.mark.parametrize("text", ["", "ctrl-", "ctrl-aa", "shift-a", "ab", "ctrl-1"])
def test_no_detach_keys(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"Invalid detach keys"):
        parse_detach_keys(text)
