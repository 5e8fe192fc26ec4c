"""The syslog driver: RFC 3164 or RFC 5424 over UDP, TCP, TLS or a unix socket.

Source: RFC 3164; RFC 5424; RFC 5425, 4.3 (framing over TLS); moby daemon/logger/syslog for the shapes.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable

from windlass.launch.log_dial import dial, dial_unix, split_address
from windlass.launch.log_facilities import facility_number
from windlass.launch.log_ship import Message
from windlass.spec.task import RemotePlan

PORT = 514
_LOCAL_SOCKETS = ("/dev/log", "/var/run/syslog", "/var/run/log")
_SEVERITIES = {"stdout": 6, "stderr": 3}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Syslog:
    """One connection; a message that it does not take gets one more try on a new one."""

    def __init__(self, plan: RemotePlan) -> None:
        options = plan.options
        self._options = options
        self._scheme, _, self._address = options.get("syslog-address", "").partition("://")
        self._priority = facility_number(options.get("syslog-facility", "")) << 3
        self._tag = plan.tag
        self._hostname = plan.subject.hostname
        self._pid = os.getppid()
        format_ = options.get("syslog-format", "")
        self._format = _FORMATS[format_]
        self._counted = self._scheme == "tcp+tls" and format_.startswith("rfc5424")
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Reach the receiver."""
        self._socket = self._dial()

    def _dial(self) -> socket.socket:
        if not self._scheme:
            return _dial_local()
        if self._scheme == "unix":
            return dial_unix(self._address, (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        if self._scheme == "unixgram":
            return dial_unix(self._address, (socket.SOCK_DGRAM,))
        host, port = split_address(self._address, PORT)
        if self._scheme == "udp":
            return dial("udp", host, port)
        if self._scheme == "tcp+tls":
            from windlass.launch.log_tls import dial_tls

            return dial_tls(host, port, self._options)
        return dial("tcp", host, port)

    def encode(self, message: Message) -> bytes:
        """Return a message as it is sent."""
        priority = self._priority | _SEVERITIES[message.stream]
        text = self._format(priority, message.time_ns, self._hostname, self._tag, self._pid) + message.line + b"\n"
        return b"%d %b" % (len(text), text) if self._counted else text

    def send(self, messages: list[Message]) -> None:
        """Send each message; datagrams one by one."""
        encoded = [self.encode(message) for message in messages]
        if self._socket is not None and self._socket.type == socket.SOCK_STREAM:
            encoded = [b"".join(encoded)]
        for data in encoded:
            self._send(data)

    def _send(self, data: bytes) -> None:
        try:
            if self._socket is not None:
                self._socket.sendall(data)
                return
        except OSError:
            self._drop()
        self._socket = self._dial()
        try:
            self._socket.sendall(data)
        except OSError:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _dial_local() -> socket.socket:
    for path in _LOCAL_SOCKETS:
        try:
            return dial_unix(path, (socket.SOCK_DGRAM, socket.SOCK_STREAM))
        except OSError:
            continue
    raise OSError("Unix syslog delivery error")


def _stamp(time_ns: int) -> str:
    t = time.localtime(time_ns // 1_000_000_000)
    return f"{_MONTHS[t.tm_mon - 1]} {t.tm_mday:2d} {t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"


def _rfc3339(time_ns: int, *, micro: bool) -> str:
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    t = time.localtime(seconds)
    minutes = (t.tm_gmtoff or 0) // 60
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}" if minutes else "Z"
    return time.strftime("%Y-%m-%dT%H:%M:%S", t) + (f".{fraction // 1000:06d}" if micro else "") + zone


def _unix(priority: int, time_ns: int, _hostname: str, tag: str, pid: int) -> bytes:
    return f"<{priority}>{_stamp(time_ns)} {tag}[{pid}]: ".encode()


def _rfc3164(priority: int, time_ns: int, hostname: str, tag: str, pid: int) -> bytes:
    return f"<{priority}>{_stamp(time_ns)} {hostname} {tag}[{pid}]: ".encode()


def _rfc5424(priority: int, time_ns: int, hostname: str, tag: str, pid: int) -> bytes:
    return f"<{priority}>1 {_rfc3339(time_ns, micro=False)} {hostname} {tag} {pid} {tag} - ".encode()


def _rfc5424_micro(priority: int, time_ns: int, hostname: str, tag: str, pid: int) -> bytes:
    return f"<{priority}>1 {_rfc3339(time_ns, micro=True)} {hostname} {tag} {pid} {tag} - ".encode()


_FORMATS: dict[str, Callable[[int, int, str, str, int], bytes]] = {
    "": _unix,
    "rfc3164": _rfc3164,
    "rfc5424": _rfc5424,
    "rfc5424micro": _rfc5424_micro,
}
