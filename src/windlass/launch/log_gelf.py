"""The gelf driver: JSON over UDP, compressed and in chunks, or over TCP.

Source: GELF 1.1, docs.graylog.org "GELF via UDP", "GELF via TCP".
"""

from __future__ import annotations

import os
import socket
import time
import zlib

import msgspec

from windlass.base.clock import rfc3339_nano
from windlass.launch.log_dial import dial, split_address
from windlass.launch.log_ship import Message
from windlass.spec.task import RemotePlan

_CHUNK = 1420
_CHUNK_MAGIC = b"\x1e\x0f"
_CHUNK_HEADER_BYTES = 12
_MAX_CHUNKS = 128
_WINDOW = {"gzip": 31, "zlib": 15}
_LEVELS = {"stdout": 6, "stderr": 3}
_encode = msgspec.json.Encoder().encode


class Gelf:
    """One socket; over TCP what it does not take is tried again on new connections."""

    def __init__(self, plan: RemotePlan) -> None:
        options, subject = plan.options, plan.subject
        self._scheme, _, address = options["gelf-address"].partition("://")
        self._host, self._port = split_address(address, 0)
        self._window = _WINDOW.get(options.get("gelf-compression-type", "gzip"), 0)
        self._level = int(options.get("gelf-compression-level", "1"))
        self._tries = int(options.get("gelf-tcp-max-reconnect", "3"))
        self._delay_s = float(options.get("gelf-tcp-reconnect-delay", "1"))
        fields = {
            "version": "1.1",
            "host": subject.hostname,
            "_command": subject.command,
            "_container_id": subject.id,
            "_container_name": subject.name,
            "_created": rfc3339_nano(subject.created_ns),
            "_image_id": subject.image_id,
            "_image_name": subject.image_name,
            "_tag": plan.tag,
        }
        self._fields: dict[str, object] = {**fields, **{f"_{key}": value for key, value in plan.attrs.items()}}
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Reach the receiver."""
        try:
            self._socket = dial(self._scheme, self._host, self._port)
        except OSError as error:
            raise OSError(f"gelf: cannot connect to GELF endpoint: {self._host}:{self._port} {error}") from error

    def encode(self, message: Message) -> bytes:
        """Return a message's JSON."""
        own = {
            "short_message": message.line.decode("utf-8", "replace"),
            "timestamp": message.time_ns // 1_000_000 / 1000,
            "level": _LEVELS[message.stream],
        }
        return _encode(self._fields | own)

    def send(self, messages: list[Message]) -> None:
        """Send each message as one datagram or more, or all in one go."""
        if self._scheme == "tcp":
            self._send_tcp(b"".join(self.encode(message) + b"\0" for message in messages))
            return
        for message in messages:
            for datagram in self.datagrams(self.encode(message)):
                self._send_datagram(datagram)

    def datagrams(self, data: bytes) -> list[bytes]:
        """Compress, and cut what is too large for one datagram. Raises `OSError` when it is too large for 128."""
        if self._window:
            compressor = zlib.compressobj(self._level, wbits=self._window)
            data = compressor.compress(data) + compressor.flush()
        if len(data) <= _CHUNK:
            return [data]
        size = _CHUNK - _CHUNK_HEADER_BYTES
        count = -(-len(data) // size)
        if count > _MAX_CHUNKS:
            raise OSError(f"msg too large, would need {count} chunks")
        head = _CHUNK_MAGIC + os.urandom(8)
        return [head + bytes((place, count)) + data[place * size : (place + 1) * size] for place in range(count)]

    def _send_datagram(self, datagram: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.send(datagram)
        except ConnectionRefusedError:
            # What the receiver's host said of an earlier datagram: this one was not sent.
            self._socket.send(datagram)

    def _send_tcp(self, data: bytes) -> None:
        for attempt in range(self._tries + 1):
            try:
                if self._socket is None:
                    self.connect()
                assert self._socket is not None
                self._socket.sendall(data)
                return
            except OSError:
                if self._socket is not None:
                    self._socket.close()
                    self._socket = None
                if attempt == self._tries:
                    raise
                time.sleep(self._delay_s)
