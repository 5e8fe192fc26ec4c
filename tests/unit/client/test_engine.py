"""Calls to an engine that records them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.engine_recorder import OUTPUT, recording

from windlass.client.endpoint import parse_endpoint
from windlass.client.engine import Engine, version_tuple
from windlass.client.errors import ApiError, ClientError

TOO_NEW = {"message": "client version 1.50 is too new. Maximum supported API version is 1.41"}


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "engine.sock")


def engine_at(path: str, version: str = "") -> Engine:
    return Engine(parse_endpoint(f"unix://{path}"), version)


def test_a_call_and_its_answer(path: str) -> None:
    with recording(path, {"GET /x": (200, {"a": [1]})}) as requests:
        assert engine_at(path).call("GET", "/x", {"q": "1 2"}) == {"a": [1]}
    assert [(request.method, request.target) for request in requests] == [("GET", "/v1.50/x?q=1%202")]


def test_errors_carry_status_and_message(path: str) -> None:
    with recording(path, {"GET /x": (409, {"message": "Conflict. Taken."}), "GET /y": (500, None)}):
        engine = engine_at(path)
        with pytest.raises(ApiError) as caught:
            engine.call("GET", "/x")
        assert (caught.value.status, str(caught.value)) == (409, "Error response from daemon: Conflict. Taken.")
        with pytest.raises(ApiError, match="request returned 500 Internal Server Error for API route"):
            engine.call("GET", "/y")


def test_one_connection_serves_several_calls(path: str) -> None:
    with recording(path) as requests:
        engine = engine_at(path)
        engine.call("GET", "/a")
        first = engine._idle
        engine.call("POST", "/b", body={"x": 1})
        assert engine._idle is first is not None
    assert requests[1].body == {"x": 1}


def test_a_closed_idle_connection_is_replaced(path: str) -> None:
    with recording(path) as requests:
        engine = engine_at(path)
        engine.call("GET", "/a")
        assert engine._idle is not None
        engine._idle.socket.shutdown(2)
        engine.call("POST", "/b")
    assert [request.method for request in requests] == ["GET", "POST"]


def test_an_older_engine_is_asked_again_in_its_version(path: str) -> None:
    answers: dict[str, tuple[int, Any]] = {"GET /x": (400, TOO_NEW)}
    with recording(path, answers) as requests:
        engine = engine_at(path)
        with pytest.raises(ApiError, match="too new"):
            engine.call("GET", "/x")
        assert engine.version == "1.41"
        engine.call("GET", "/y")
    assert [request.target for request in requests] == ["/v1.50/x", "/v1.41/x", "/v1.41/y"]


def test_a_version_that_was_asked_for_stays(path: str) -> None:
    with recording(path, {"GET /x": (400, TOO_NEW)}) as requests, pytest.raises(ApiError):
        engine_at(path, "1.45").call("GET", "/x")
    assert [request.target for request in requests] == ["/v1.45/x"]


def test_uploads_settle_the_version_first(path: str) -> None:
    with recording(path) as requests:
        answer = engine_at(path).stream("POST", "/up", upload=iter([b"[1", b"", b",2]"]))
        assert answer.read() == b"{}"
    assert [(request.method, request.target) for request in requests] == [("HEAD", "/_ping"), ("POST", "/v1.50/up")]
    assert requests[1].body == [1, 2]


def test_a_hijacked_stream_keeps_its_first_bytes(path: str) -> None:
    with recording(path):
        stream = engine_at(path).hijack("/containers/c/attach", {"stdout": "1"})
        received = stream.leftover
        while piece := stream.socket.recv(4096):
            received += piece
    assert stream.framed is True
    assert received == b"\x01\0\0\0" + len(OUTPUT).to_bytes(4, "big") + OUTPUT


def test_versions() -> None:
    assert version_tuple("1.9") < version_tuple("1.41")
    with pytest.raises(ClientError, match="invalid API version"):
        version_tuple("new")
