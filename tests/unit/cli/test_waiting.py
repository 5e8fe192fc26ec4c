"""Waiting for a container, with engines that come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.engine_recorder import recording

from windlass.cli.errors import CliError
from windlass.cli.waiting import Waiter
from windlass.client.endpoint import parse_endpoint
from windlass.client.engine import Engine
from windlass.client.errors import ProtocolError

WAIT = "POST /containers/c/wait"
DIED = {"Type": "container", "Action": "die", "Actor": {"ID": "c", "Attributes": {"exitCode": "7"}}}


def waiter_at(path: str) -> Waiter:
    return Waiter(Engine(parse_endpoint(f"unix://{path}")), "c", "removed")


def lose_the_answer(waiter: Waiter) -> None:
    """Have the engine break off while the answer is waited for."""

    class Broken:
        def read(self) -> bytes:
            raise ProtocolError("unexpected EOF")

    waiter._answer = Broken()  # type: ignore[assignment]


def test_the_exit_code(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with recording(path, {WAIT: (200, {"StatusCode": 9})}):
        assert waiter_at(path).status() == 9


def test_the_engines_reason_for_not_knowing(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with recording(path, {WAIT: (200, {"StatusCode": 0, "Error": {"Message": "lost"}})}):
        waiter = waiter_at(path)
        with pytest.raises(CliError, match="error waiting for container: lost") as caught:
            waiter.status()
    assert caught.value.status == 125


def test_another_engine_is_asked_when_the_first_goes_away(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    with recording(path, {WAIT: (200, {"StatusCode": 3})}) as requests:
        waiter = waiter_at(path)
        lose_the_answer(waiter)
        assert waiter.status() == 3
    assert [request.target for request in requests] == [
        "/v1.50/containers/c/wait?condition=removed",
        "/v1.50/containers/c/wait?condition=not-running",
    ]


def test_a_container_removed_meanwhile_left_its_code_in_the_events(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    answers: dict[str, tuple[int, Any]] = {WAIT: (200, {}), "GET /events": (200, DIED)}
    with recording(path, answers):
        waiter = waiter_at(path)
        answers[WAIT] = (404, {"message": "No such container: c"})
        lose_the_answer(waiter)
        assert waiter.status() == 7


def test_a_container_nobody_remembers(tmp_path: Path) -> None:
    path = str(tmp_path / "engine.sock")
    answers: dict[str, tuple[int, Any]] = {WAIT: (200, {}), "GET /events": (200, None)}
    with recording(path, answers):
        waiter = waiter_at(path)
        answers[WAIT] = (404, {"message": "No such container: c"})
        lose_the_answer(waiter)
        with pytest.raises(CliError, match="error waiting for container: No such container: c"):
            waiter.status()
