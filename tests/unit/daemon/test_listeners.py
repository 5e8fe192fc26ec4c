"""Sockets, pid file and readiness."""

from __future__ import annotations

import grp
import os
import socket
import stat
from pathlib import Path

import pytest

from windlass.base.errors import Conflict, InvalidParameter
from windlass.daemon import readiness
from windlass.daemon.listeners import open_listeners
from windlass.daemon.pid_file import PidFile


def test_unix_socket_is_for_root_and_one_group(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    (listener,) = open_listeners((f"unix://{path}",), "docker")
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with pytest.raises(Conflict, match="a daemon listens on it"):
        open_listeners((f"unix://{path}",), "")
    listener.close()
    open_listeners((str(path),), "")[0].close()


def test_the_socket_s_group(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    name = grp.getgrgid(1).gr_name
    for group in (name, "1"):
        open_listeners((f"unix://{path}",), group)[0].close()
        assert path.stat().st_gid == 1
    with pytest.raises(InvalidParameter, match="group no-such-group not found"):
        open_listeners((f"unix://{path}",), "no-such-group")


def test_a_file_in_the_way_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    path.write_text("precious")
    with pytest.raises(Conflict):
        open_listeners((f"unix://{path}",), "")
    assert path.read_text() == "precious"


@pytest.mark.parametrize("host", ["tcp://0.0.0.0:2375", "tcp://192.0.2.1:1", "tcp://[::]:1"])
def test_tcp_without_tls_is_refused_off_loopback(host: str) -> None:
    with pytest.raises(InvalidParameter, match="Binding to IP address without --tlsverify is insecure"):
        open_listeners((host,), "")


def test_tcp_anywhere_when_that_is_meant() -> None:
    (listener,) = open_listeners(("tcp://0.0.0.0:0",), "", anywhere=True)
    assert listener.getsockname()[0] == "0.0.0.0"
    listener.close()


@pytest.mark.parametrize(
    "host", ["tcp://", "tcp://x", "tcp://127.0.0.1", "npipe://x", "tcp://name:1", "tcp://127.0.0.1:70000"]
)
def test_addresses_that_are_none(host: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid bind address format"):
        open_listeners((host,), "")


def test_tcp_on_loopback(tmp_path: Path) -> None:
    (listener,) = open_listeners(("tcp://127.0.0.1:0",), "")
    port = listener.getsockname()[1]
    with pytest.raises(Conflict, match="address already in use"):
        open_listeners((f"unix://{tmp_path}/s", f"tcp://127.0.0.1:{port}"), "")
    listener.close()


def test_socket_activation_needs_a_service_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LISTEN_PID", raising=False)
    with pytest.raises(InvalidParameter, match="no sockets found via socket activation"):
        open_listeners(("fd://",), "")


def test_second_daemon_is_refused_and_a_stale_file_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "run" / "d.pid")
    first = PidFile(path)
    first.acquire()
    assert Path(path).read_text() == str(os.getpid())
    with pytest.raises(Conflict, match=f"process with PID {os.getpid()} is still running"):
        PidFile(path).acquire()
    first.release()
    assert not os.path.exists(path)
    Path(path).write_text("1")
    again = PidFile(path)
    again.acquire()
    again.release()


def test_readiness_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setenv(readiness.READY_FD, str(write))
    readiness.answer_parent("ready")
    readiness.answer_parent("twice")
    assert os.read(read, 100) == b"ready\n"
    assert os.read(read, 100) == b""
    os.close(read)


def test_service_manager_is_notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        readiness.notify("READY=1")
        assert sock.recv(100) == b"READY=1"
