"""Calls, errors and jobs on a connection whose other end is ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, Parser, new_error, new_method_return, new_signal

from windlass.base.errors import Unavailable
from windlass.cgroups import systemd_bus
from windlass.cgroups.model import CgroupError
from windlass.cgroups.systemd_bus import BusError, SystemdBus

_MANAGER = DBusAddress("/org/freedesktop/systemd1", interface="org.freedesktop.systemd1.Manager")
Answer = Callable[[Any], list[Any]]


class _Systemd:
    """Answers each call with what `answers` has for its name; remembers the calls."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.answers: dict[str, Answer] = {"Subscribe": lambda call: [new_method_return(call)]}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        parser = Parser()
        serial = 100
        while data := self.sock.recv(4096):
            parser.add_data(data)
            while (call := parser.get_next_message()) is not None:
                assert call.header.message_type == MessageType.method_call
                member = call.header.fields[HeaderFields.member]
                self.calls.append((member, call.body))
                for message in self.answers[member](call):
                    serial += 1
                    self.sock.sendall(message.serialise(serial))


@pytest.fixture
def systemd() -> Iterator[tuple[_Systemd, SystemdBus]]:
    ours, theirs = socket.socketpair()
    server = _Systemd(theirs)
    with SystemdBus(ours, direct=True) as bus:
        yield server, bus
    server.thread.join()
    theirs.close()


def _job_removed(job: str, result: str) -> Any:
    return new_signal(_MANAGER, "JobRemoved", "uoss", (1, job, "x.scope", result))


def test_a_unit_starts_when_its_job_is_done(systemd: tuple[_Systemd, SystemdBus]) -> None:
    server, bus = systemd
    job = "/org/freedesktop/systemd1/job/7"
    # The end of another job, and that of this one before the answer that names it.
    early = [_job_removed("/org/freedesktop/systemd1/job/6", "failed"), _job_removed(job, "done")]
    server.answers["StartTransientUnit"] = lambda call: [*early, new_method_return(call, "o", (job,))]
    bus.start_transient_unit("x.scope", [("PIDs", ("au", [7])), ("AllowedCPUs", ("ay", b"\x03"))])
    assert server.calls[-1] == (
        "StartTransientUnit",
        ("x.scope", "replace", [("PIDs", ("au", [7])), ("AllowedCPUs", ("ay", b"\x03"))], []),
    )


def test_a_job_that_fails_later(systemd: tuple[_Systemd, SystemdBus]) -> None:
    server, bus = systemd
    job = "/org/freedesktop/systemd1/job/8"
    server.answers["StopUnit"] = lambda call: [new_method_return(call, "o", (job,)), _job_removed(job, "timeout")]
    with pytest.raises(CgroupError, match=r"error StopUnit on systemd unit x\.scope: got timeout"):
        bus.stop_unit("x.scope")


def test_errors_have_names(systemd: tuple[_Systemd, SystemdBus]) -> None:
    server, bus = systemd
    name = "org.freedesktop.systemd1.NoSuchUnit"
    server.answers["ResetFailedUnit"] = lambda call: [new_error(call, name, "s", ("not loaded",))]
    with pytest.raises(BusError, match="not loaded") as caught:
        bus.reset_failed_unit("x.scope")
    assert caught.value.error_name == name


def test_the_version_is_a_number(systemd: tuple[_Systemd, SystemdBus]) -> None:
    server, bus = systemd
    for text, number in (("252.39-1~deb12u1", 252), ("v257~rc1", 257), ("devel", 0)):
        server.answers["Get"] = lambda call, text=text: [new_method_return(call, "v", (("s", text),))]  # type: ignore[misc]
        assert bus.version() == number


def test_a_silent_systemd_is_not_waited_for_for_ever(
    systemd: tuple[_Systemd, SystemdBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, bus = systemd
    monkeypatch.setattr(systemd_bus, "_CALL_TIMEOUT_S", 0.05)
    server.answers["GetUnit"] = lambda _: []
    with pytest.raises(CgroupError, match="systemd does not answer"):
        bus.control_group("x.scope")


def test_nothing_to_connect_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_bus, "SYSTEM_BUS", "/nonexistent/bus")
    monkeypatch.setattr(systemd_bus, "PRIVATE_SOCKET", "/nonexistent/private")
    with pytest.raises(Unavailable, match="cannot talk to systemd"):
        systemd_bus.connect()
