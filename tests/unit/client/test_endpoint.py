"""Addresses of engines."""

from __future__ import annotations

import pytest

from windlass.client.endpoint import parse_endpoint
from windlass.client.errors import BadEndpoint, CannotConnect


@pytest.mark.parametrize(
    ("text", "shown", "address"),
    [
        ("unix:///run/x.sock", "unix:///run/x.sock", "/run/x.sock"),
        ("tcp://host:1234", "tcp://host:1234", ("host", 1234)),
        ("tcp://host", "tcp://host:2375", ("host", 2375)),
        ("tcp://[::1]:5", "tcp://[::1]:5", ("::1", 5)),
        ("tcp://:5", "tcp://127.0.0.1:5", ("127.0.0.1", 5)),
        ("host:5", "tcp://host:5", ("host", 5)),
        ("http://host:80/path", "tcp://host:80", ("host", 80)),
    ],
)
def test_addresses(text: str, shown: str, address: object) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.text, endpoint.address) == (shown, address)


@pytest.mark.parametrize("text", ["foo://x", "unix://", "tcp://h:port", "tcp://h:99999", "tcp://[::1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadEndpoint, match="invalid bind address format"):
        parse_endpoint(text)


def test_nobody_listens() -> None:
    with pytest.raises(CannotConnect) as caught:
        parse_endpoint("unix:///nonexistent/engine.sock").connect()
    assert str(caught.value) == (
        "Cannot connect to the Docker daemon at unix:///nonexistent/engine.sock. Is the docker daemon running?"
    )
