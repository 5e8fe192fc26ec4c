"""The stock client over mutual TLS: everything that takes its connection over, and who is kept out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.e2e.daemon.conftest import Guarded
from tests.support.certificates import Authority
from tests.support.daemon import DOCKER, PrivateDaemon


def _docker(guarded: Guarded, *argv: str, data: bytes = b"") -> bytes:
    if DOCKER is None:
        pytest.skip("no docker CLI on this host")
    command = [DOCKER, *guarded.flags(), *argv]
    result = subprocess.run(command, input=data, capture_output=True, timeout=60, env=_environment(guarded.engine))
    assert result.returncode == 0, result.stderr
    return result.stdout


def _environment(engine: PrivateDaemon) -> dict[str, str]:
    return {**os.environ, "DOCKER_CONFIG": str(engine.directory / "docker-config")}


def test_input_ends_and_output_goes_on(guarded: Guarded) -> None:
    data = os.urandom(2 << 20).hex().encode()
    assert _docker(guarded, "run", "--rm", "-i", "busybox", "sh", "-c", "cat; echo end", data=data) == data + b"end\n"


def test_exec_logs_and_archives(guarded: Guarded) -> None:
    name = "over-tls"
    _docker(guarded, "run", "-d", "--name", name, "busybox", "sh", "-c", "echo out; echo err >&2; exec sleep 1000")
    try:
        assert _docker(guarded, "exec", "-i", name, "cat", data=b"typed") == b"typed"
        assert _docker(guarded, "logs", name) == b"out\n"
        assert b"busybox" in _docker(guarded, "export", name)
        assert _docker(guarded, "ps", "--format", "{{.Names}}").split() == [name.encode()]
    finally:
        _docker(guarded, "rm", "-f", name)


def test_a_client_without_a_certificate_of_ours_is_kept_out(guarded: Guarded, tmp_path: Path) -> None:
    if DOCKER is None:
        pytest.skip("no docker CLI on this host")
    folder = Authority(tmp_path / "other").issue("client")
    flags = guarded.flags()
    flags[flags.index("--tlscert") + 1] = str(folder / "cert.pem")
    flags[flags.index("--tlskey") + 1] = str(folder / "key.pem")
    result = subprocess.run([DOCKER, *flags, "info"], capture_output=True, text=True, env=_environment(guarded.engine))
    assert result.returncode != 0
    assert "tls: unknown certificate authority" in result.stderr
    assert "TLS handshake failed" in guarded.engine.log


def test_the_daemon_does_not_start_on_an_open_port(tmp_path: Path) -> None:
    daemon = PrivateDaemon(tmp_path, number=7)
    daemon.extra = ["-H", "tcp://0.0.0.0:0"]
    with pytest.raises(AssertionError, match="Binding to IP address without --tlsverify is insecure"):
        daemon.start()
