"""`-H ssh://`: what is run, what is refused, and a whole exchange through a stand-in for ssh."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from tests.support.engine_recorder import recording

from windlass.cli.main import run
from windlass.client.endpoint import parse_endpoint
from windlass.client.ssh import SshEndpoint

MAIN = Path(__file__).parents[3] / "src" / "windlass" / "__main__.py"


def arguments(text: str) -> list[str]:
    endpoint = parse_endpoint(text)
    assert isinstance(endpoint, SshEndpoint)
    return endpoint.command[4:]


def test_the_command() -> None:
    plain, user = arguments("ssh://far"), arguments("ssh://me@far:2222/run/x.sock")
    assert plain[:2] == ["--", "far"] and "exec windlass system dial-stdio" in plain[2]
    assert user[:6] == ["-l", "me", "-p", "2222", "--", "far"]
    assert "exec docker -H unix:///run/x.sock system dial-stdio" in user[6]
    assert arguments("ssh://[::1]:22")[:4] == ["-p", "22", "--", "::1"]


def test_an_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    socket, ssh, seen = tmp_path / "e.sock", tmp_path / "ssh", tmp_path / "argv"
    python = f"{shlex.quote(sys.executable)} -I -S {shlex.quote(str(MAIN))}"
    ssh.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{seen}\nexec {python} -H unix://{socket} system dial-stdio\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with recording(str(socket), {"GET /containers/json": (200, [{"Id": "a" * 64, "Names": ["/web"]}])}) as recorded:
        assert run(["-H", "ssh://me@far", "ps", "-q"]) == 0
    assert capfd.readouterr().out == "a" * 12 + "\n"
    assert [request.path for request in recorded] == ["/containers/json"]
    assert os.wait()[1] == 0
    assert seen.read_text().splitlines()[:2] == ["-o", "ConnectTimeout=30"]


def test_no_ssh_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["-H", "ssh://far", "ps"]) == 1
    assert "Cannot connect to the Docker daemon at ssh://far" in capfd.readouterr().err
