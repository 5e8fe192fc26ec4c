"""The journald driver: the journal's native protocol, a datagram of fields for each line.

Source: systemd "Native Journal Protocol"; moby daemon/logger/journald for the fields.
"""

from __future__ import annotations

import socket

from windlass.base.clock import rfc3339_nano
from windlass.launch.log_dial import dial_unix
from windlass.launch.log_ship import Message
from windlass.spec.task import RemotePlan

JOURNAL = "/run/systemd/journal/socket"
_SHORT_ID = 12
_PRIORITIES = {"stdout": b"6", "stderr": b"3"}


class Journald:
    """A socket to the journal; what it does not take gets one more try on a new one."""

    def __init__(self, plan: RemotePlan, path: str = JOURNAL) -> None:
        subject = plan.subject
        self._path = path
        fields = {field_name(key): value for key, value in plan.attrs.items()} | {
            "CONTAINER_ID": subject.id[:_SHORT_ID],
            "CONTAINER_ID_FULL": subject.id,
            "CONTAINER_NAME": subject.name,
            "CONTAINER_TAG": plan.tag,
            "IMAGE_NAME": subject.image_name,
            "SYSLOG_IDENTIFIER": plan.tag,
        }
        self._fields = b"".join(_field(name, value.encode()) for name, value in fields.items() if name)
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Reach the journal."""
        try:
            self._socket = dial_unix(self._path, (socket.SOCK_DGRAM,))
        except OSError as error:
            raise OSError("journald is not enabled on this host") from error

    def encode(self, message: Message) -> bytes:
        """Return a message's fields."""
        parts = [
            self._fields,
            _field("PRIORITY", _PRIORITIES[message.stream]),
            _field("SYSLOG_TIMESTAMP", rfc3339_nano(message.time_ns).encode()),
            _field("MESSAGE", message.line),
        ]
        if message.partial is not None:
            parts += [
                _field("CONTAINER_PARTIAL_ID", message.partial.id.encode()),
                _field("CONTAINER_PARTIAL_ORDINAL", str(message.partial.ordinal).encode()),
                _field("CONTAINER_PARTIAL_LAST", str(message.partial.last).lower().encode()),
            ]
            if not message.partial.last:
                parts.append(_field("CONTAINER_PARTIAL_MESSAGE", b"true"))
        return b"".join(parts)

    def send(self, messages: list[Message]) -> None:
        """Send a datagram for each message."""
        for message in messages:
            data = self.encode(message)
            try:
                if self._socket is not None:
                    self._socket.send(data)
                    continue
            except OSError:
                self._drop()
            self.connect()
            assert self._socket is not None
            self._socket.send(data)

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def field_name(key: str) -> str:
    """Return a name that the journal takes: capitals, digits and underscores, not with one of these first."""
    mapped = "".join(c if c.isascii() and c.isalnum() else "_" for c in key.upper())
    return mapped.lstrip("_")


def _field(name: str, value: bytes) -> bytes:
    """Encode a field; its length is given, so that it may contain anything."""
    return name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
