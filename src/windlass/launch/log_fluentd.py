"""The fluentd driver: the forward protocol's message mode over TCP, TLS or a unix socket.

Source: Fluentd "Forward Protocol Specification v1"; moby daemon/logger/fluentd for the record.
"""

from __future__ import annotations

import os
import socket
import time

import msgspec

from windlass.launch.log_dial import dial, dial_unix, split_address
from windlass.launch.log_ship import Message
from windlass.spec.task import RemotePlan

HOST, PORT = "127.0.0.1", 24224
_RETRY_WAIT_S = 1.0
_MAX_WAIT_S = 60.0
_ENDLESS = (1 << 31) - 1
_EVENT_TIME = 0
_ACK_S = 30.0
_ACK_BYTES = 1024
_NS = 1_000_000_000
_encode = msgspec.msgpack.Encoder().encode


class Fluentd:
    """One connection; what it does not take is tried again, after waits that grow."""

    def __init__(self, plan: RemotePlan) -> None:
        options = plan.options
        self._address = options.get("fluentd-address", "")
        self._async = _true(options, "fluentd-async") or _true(options, "fluentd-async-connect")
        # The engine has made it seconds.
        self._wait_s = float(options.get("fluentd-retry-wait", "")) or _RETRY_WAIT_S
        self._retries = int(options.get("fluentd-max-retries", "") or _ENDLESS) or _ENDLESS
        self._precise = _true(options, "fluentd-sub-second-precision")
        self._acknowledged = _true(options, "fluentd-request-ack")
        self._tag = plan.tag
        self._fields = {**plan.attrs, "container_id": plan.subject.id, "container_name": f"/{plan.subject.name}"}
        self._socket: socket.socket | None = None

    def connect(self) -> None:
        """Reach the receiver, unless the options say that it may come later."""
        if not self._async:
            self._socket = self._dial()

    def _dial(self) -> socket.socket:
        scheme, separator, address = self._address.rpartition("://")
        if separator and scheme == "unix":
            return dial_unix(address, (socket.SOCK_STREAM,))
        host, port = split_address(address, PORT) if address else (HOST, PORT)
        if scheme == "tls":
            from windlass.launch.log_tls import dial_tls

            return dial_tls(host or HOST, port, {})
        return dial("tcp", host or HOST, port)

    def encode(self, message: Message, chunk: str = "") -> bytes:
        """Return one event; with `chunk` the receiver is to acknowledge it by that name."""
        record: dict[str, object] = {**self._fields, "source": message.stream, "log": _raw(message.line)}
        if message.partial is not None:
            record |= {
                "partial_message": "true",
                "partial_id": message.partial.id,
                "partial_ordinal": str(message.partial.ordinal),
                "partial_last": str(message.partial.last).lower(),
            }
        seconds, rest = divmod(message.time_ns, _NS)
        moment: object = seconds
        if self._precise:
            moment = msgspec.msgpack.Ext(_EVENT_TIME, seconds.to_bytes(4, "big") + rest.to_bytes(4, "big"))
        event: list[object] = [self._tag, moment, record]
        return _encode([*event, {"chunk": chunk}] if chunk else event)

    def send(self, messages: list[Message]) -> None:
        """Send events, all in one go unless each is to be acknowledged."""
        if not self._acknowledged:
            self._send(b"".join(self.encode(message) for message in messages), "")
            return
        for message in messages:
            chunk = os.urandom(16).hex()
            self._send(self.encode(message, chunk), chunk)

    def _send(self, data: bytes, chunk: str) -> None:
        wait_s = self._wait_s
        for attempt in range(self._retries + 1):
            try:
                if self._socket is None:
                    self._socket = self._dial()
                self._socket.sendall(data)
                if chunk:
                    _await_ack(self._socket, chunk)
                return
            except OSError:
                if self._socket is not None:
                    self._socket.close()
                    self._socket = None
                if attempt == self._retries:
                    raise
                time.sleep(wait_s)
                wait_s = min(_MAX_WAIT_S, wait_s * 1.5)


def _raw(line: bytes) -> msgspec.Raw:
    """Encode bytes as a msgpack string, which dockerd does with whatever a container prints."""
    return msgspec.Raw(b"\xdb" + len(line).to_bytes(4, "big") + line)


def _true(options: dict[str, str], name: str) -> bool:
    return options.get(name, "").lower() in ("1", "t", "true")


def _await_ack(sock: socket.socket, chunk: str) -> None:
    sock.settimeout(_ACK_S)
    try:
        answer = msgspec.msgpack.decode(sock.recv(_ACK_BYTES))
    except msgspec.DecodeError as error:
        raise OSError("fluentd: no acknowledgement") from error
    finally:
        sock.settimeout(None)
    if not isinstance(answer, dict) or answer.get("ack") != chunk:
        raise OSError("fluentd: acknowledgement of something else")
