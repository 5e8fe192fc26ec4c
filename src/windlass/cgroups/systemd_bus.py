"""Talking to systemd over D-Bus: calls, and the end of jobs.

The system bus is the documented way; systemd's private socket, without a bus between, is what root has on hosts without
a D-Bus daemon.

Source: org.freedesktop.systemd1(5); D-Bus Specification, "Message Protocol".
"""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from windlass.base.errors import Unavailable
from windlass.cgroups.model import CgroupError

if TYPE_CHECKING:
    import socket

SYSTEM_BUS = "/run/dbus/system_bus_socket"
PRIVATE_SOCKET = "/run/systemd/private"
_SERVICE = "org.freedesktop.systemd1"
_PATH = "/org/freedesktop/systemd1"
_MANAGER = "org.freedesktop.systemd1.Manager"
_JOB_REMOVED = f"type='signal',sender='{_SERVICE}',interface='{_MANAGER}',member='JobRemoved',path='{_PATH}'"
_CALL_TIMEOUT_S = 25.0
_JOB_TIMEOUT_S = 30.0
_AUTH_TIMEOUT_S = 5.0
_READ_SIZE = 1 << 16
# A properties reply of systemd has some ten kilobytes; more than this is not systemd.
_MAX_MESSAGE = 1 << 22

# A D-Bus variant: its signature and its value.
Variant = tuple[str, Any]
# The library has no type hints.
Message = Any
Property = tuple[str, Variant]


class BusError(CgroupError):
    """systemd refused a call; `error_name` is D-Bus's (`org.freedesktop.systemd1.NoSuchUnit`)."""

    def __init__(self, error_name: str, message: str) -> None:
        super().__init__(message)
        self.error_name = error_name


class SystemdBus:
    """One connection; use it in a `with`. Blocks, for at most 30 s per call."""

    def __init__(self, sock: socket.socket, *, direct: bool) -> None:
        from jeepney import Parser

        self._sock = sock
        self._parser = Parser()
        self._serial = 0
        self._signals: deque[Message] = deque(maxlen=256)
        if not direct:
            self._call_bus("Hello")
            self._call_bus("AddMatch", "s", (_JOB_REMOVED,))

    def __enter__(self) -> SystemdBus:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def version(self) -> int:
        """Return systemd's major version: 252 of `252.39-1~deb12u1`."""
        text = str(self.property(_PATH, _MANAGER, "Version"))
        digits = text.lstrip("v").partition(".")[0].partition(" ")[0].partition("-")[0].partition("~")[0]
        return int(digits) if digits.isdecimal() else 0

    def start_transient_unit(self, name: str, properties: list[Property]) -> None:
        """Make and start a unit, and wait until it runs.

        Raises:
            BusError: `...UnitExists` for one, or a property that is not known.
            CgroupError: the job failed.
        """
        self._run_job("StartTransientUnit", "ssa(sv)a(sa(sv))", (name, "replace", properties, []), name)

    def stop_unit(self, name: str) -> None:
        """Stop a unit and wait until it is stopped."""
        self._run_job("StopUnit", "ss", (name, "replace"), name)

    def reset_failed_unit(self, name: str) -> None:
        """Let systemd forget a unit that failed."""
        self._call("ResetFailedUnit", "s", (name,))

    def set_unit_properties(self, name: str, properties: list[Property]) -> None:
        """Change properties of a unit until the next boot."""
        self._call("SetUnitProperties", "sba(sv)", (name, True, properties))

    def control_group(self, name: str) -> str:
        """Return the path of a unit's control group, empty when it has none."""
        (path,) = self._call("GetUnit", "s", (name,))
        kind = name.rpartition(".")[2].capitalize()
        return str(self.property(path, f"{_SERVICE}.{kind}", "ControlGroup"))

    def property(self, path: str, interface: str, name: str) -> Any:
        """Return one property of an object."""
        from jeepney import DBusAddress, new_method_call

        address = DBusAddress(path, bus_name=_SERVICE, interface="org.freedesktop.DBus.Properties")
        ((_, value),) = self._send(new_method_call(address, "Get", "ss", (interface, name)), f"read {name}")
        return value

    def _run_job(self, method: str, signature: str, body: tuple[Any, ...], unit: str) -> None:
        self._call("Subscribe")
        (job,) = self._call(method, signature, body)
        deadline = time.monotonic() + _JOB_TIMEOUT_S
        while True:
            for signal in self._signals:
                if signal.body[1] == job:
                    result = signal.body[3]
                    if result != "done":
                        raise CgroupError(f"error {method} on systemd unit {unit}: got {result}")
                    return
            self._signals.clear()
            self._take(self._receive(deadline, f"the job of {unit}"))

    def _call(self, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        from jeepney import DBusAddress, new_method_call

        address = DBusAddress(_PATH, bus_name=_SERVICE, interface=_MANAGER)
        what = f"{method} on systemd unit {body[0]}" if body else method
        return self._send(new_method_call(address, method, signature, body), what)

    def _call_bus(self, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> None:
        from jeepney import DBusAddress, new_method_call

        name = "org.freedesktop.DBus"
        address = DBusAddress("/org/freedesktop/DBus", bus_name=name, interface=name)
        self._send(new_method_call(address, method, signature, body), method)

    def _send(self, message: Message, what: str) -> tuple[Any, ...]:
        """Send a call and return the body of its reply; signals that come first are kept."""
        from jeepney import HeaderFields, MessageType

        self._serial += 1
        deadline = time.monotonic() + _CALL_TIMEOUT_S
        try:
            self._sock.settimeout(_CALL_TIMEOUT_S)
            self._sock.sendall(message.serialise(self._serial))
        except OSError as error:
            raise CgroupError(f"systemd does not answer: {what}: {error}") from error
        while True:
            reply = self._receive(deadline, what)
            fields = reply.header.fields
            if fields.get(HeaderFields.reply_serial) != self._serial:
                self._take(reply)
                continue
            if reply.header.message_type == MessageType.error:
                name, text = fields.get(HeaderFields.error_name, ""), reply.body[0] if reply.body else ""
                raise BusError(name, f"error {what}: {text or name}")
            return tuple(reply.body)

    def _take(self, message: Message) -> None:
        """Keep the signals of ended jobs."""
        from jeepney import HeaderFields

        if message.header.fields.get(HeaderFields.member) == "JobRemoved" and len(message.body) == 4:
            self._signals.append(message)

    def _receive(self, deadline: float, what: str) -> Message:
        size = 0
        while True:
            message = self._parser.get_next_message()
            if message is not None:
                return message
            left = deadline - time.monotonic()
            if left <= 0 or size > _MAX_MESSAGE:
                raise CgroupError(f"systemd does not answer: {what}")
            try:
                self._sock.settimeout(left)
                data = self._sock.recv(_READ_SIZE)
            except OSError as error:
                raise CgroupError(f"systemd does not answer: {what}: {error}") from error
            if not data:
                raise CgroupError(f"systemd does not answer: {what}: connection closed")
            size += len(data)
            self._parser.add_data(data)


def connect() -> SystemdBus:
    """Connect to systemd.

    Raises:
        Unavailable: neither the system bus nor systemd itself answers, or the library is not installed.
    """
    try:
        from jeepney import AuthenticationError
        from jeepney.io.blocking import prep_socket
    except ImportError as error:
        raise Unavailable("the systemd cgroup driver needs the Python package jeepney") from error
    failure: Exception | None = None
    for path, direct in ((SYSTEM_BUS, False), (PRIVATE_SOCKET, True)):
        if not os.path.exists(path):
            continue
        try:
            return SystemdBus(prep_socket(path, timeout=_AUTH_TIMEOUT_S), direct=direct)
        except (OSError, AuthenticationError, CgroupError) as error:
            failure = failure or error
    reason = failure or f"neither {SYSTEM_BUS} nor {PRIVATE_SOCKET} exists"
    raise Unavailable(f"cannot talk to systemd for the systemd cgroup driver: {reason}") from failure
