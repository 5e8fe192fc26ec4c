"""A request-and-reply conversation with the kernel over one netlink socket.

The kernel answers requests before `sendmsg` returns, so replies are read without waiting: a reply that is not
there was lost, and is reported, instead of blocking for ever.

Source: netlink(7); Linux Documentation/userspace-api/netlink/intro.rst.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from windlass.netlink.codec import (
    HEADER_SIZE,
    NLM_F_ACK,
    NLM_F_ACK_TLVS,
    NLM_F_CAPPED,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSG_NOOP,
    NLMSG_OVERRUN,
    Message,
    attributes,
    iter_messages,
    message,
    read_i32,
    read_string,
    read_u32,
)

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_SO_RCVBUFFORCE = 33
_NLMSGERR_ATTR_MSG = 1

_RECEIVE_BUFFER_BYTES = 1 << 20
_DATAGRAM_BYTES = 1 << 16
_DUMP_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask of the kernel; `what` says it in words, for the error. Errors in `tolerated` are none."""

    kind: int
    flags: int
    payload: bytes
    what: str
    tolerated: tuple[int, ...] = ()


class Connection:
    """Requests and dumps over one netlink socket, which it owns. Not for use by two threads at once."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over an open netlink socket, of this network namespace or of another."""
        self._socket = sock
        self._sequence = 0
        for option in (_NETLINK_EXT_ACK, _NETLINK_CAP_ACK, _NETLINK_GET_STRICT_CHK):
            _set_option(sock, _SOL_NETLINK, option, 1)
        if not _set_option(sock, socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_BYTES):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)

    @classmethod
    def open(cls, protocol: int) -> Connection:
        """Open a socket of `protocol` in the network namespace of the calling thread."""
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        return cls(sock)

    @property
    def sock(self) -> socket.socket:
        """The socket, for what its network namespace is asked by other means."""
        return self._socket

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _reserve(self, count: int) -> int:
        """Return the first of `count` consecutive sequence numbers, not used before (until they wrap)."""
        if self._sequence + count > 0xFFFFFFFF:
            self._sequence = 0
        first = self._sequence + 1
        self._sequence += count
        return first

    def execute(self, requests: Sequence[Request]) -> list[list[Message]]:
        """Send all of `requests` in one system call and return the replies to each.

        The kernel goes on after a request that fails; the first failure is raised when all are answered.

        Raises:
            OSError: a request was refused: its errno, what was attempted and the kernel's own explanation.
        """
        replies, failures = self._exchange(requests)
        for failure in failures:
            if failure is not None:
                raise failure
        return replies

    def attempt(self, requests: Sequence[Request]) -> list[OSError | None]:
        """Send all of `requests` in one system call and return how each failed, or None where it did not."""
        return self._exchange(requests)[1]

    def _exchange(self, requests: Sequence[Request]) -> tuple[list[list[Message]], list[OSError | None]]:
        first = self._reserve(len(requests))
        self._send(
            b"".join(
                message(r.kind, r.flags | NLM_F_REQUEST | NLM_F_ACK, first + i, r.payload)
                for i, r in enumerate(requests)
            )
        )
        replies: list[list[Message]] = [[] for _ in requests]
        failures: list[OSError | None] = [None] * len(requests)
        outstanding = len(requests)
        while outstanding:
            for reply in self._receive_due(requests[0].what):
                position = reply.sequence - first
                if not 0 <= position < len(requests):
                    continue  # the tail of an earlier conversation that was given up
                if reply.kind == NLMSG_ERROR:
                    outstanding -= 1
                    failure = error_of(reply, requests[position].what)
                    if failure is not None and failure.errno not in requests[position].tolerated:
                        failures[position] = failure
                else:
                    replies[position].append(reply)
        return replies, failures

    def dump(self, request: Request) -> list[Message]:
        """Return the complete answer to a dump request, asking again while the kernel says it changed meanwhile.

        Raises:
            OSError: refused, or EINTR when it never held still.
        """
        for _ in range(_DUMP_ATTEMPTS):
            replies, interrupted = self._dump_once(request)
            if not interrupted:
                return replies
        raise OSError(errno.EINTR, f"{request.what}: changed during each of {_DUMP_ATTEMPTS} dumps")

    def _dump_once(self, request: Request) -> tuple[list[Message], bool]:
        sequence = self._reserve(1)
        self._send(message(request.kind, request.flags | NLM_F_REQUEST | NLM_F_DUMP, sequence, request.payload))
        replies: list[Message] = []
        interrupted = False
        while True:
            for reply in self._receive_due(request.what):
                if reply.sequence != sequence:
                    continue
                interrupted = interrupted or bool(reply.flags & NLM_F_DUMP_INTR)
                if reply.kind == NLMSG_DONE:
                    _check_done(reply, request.what)
                    return replies, interrupted
                if reply.kind == NLMSG_ERROR:
                    raise error_of(reply, request.what) or OSError(errno.EPROTO, f"{request.what}: no dump")
                replies.append(reply)

    def transact(self, encode: Callable[[int], bytes], count: int) -> tuple[int, list[Message]]:
        """Send `count` messages that `encode` makes, numbered from the number it is given.

        Returns that number, and whatever the kernel has answered.
        """
        first = self._reserve(count)
        self._send(encode(first))
        replies: list[Message] = []
        while True:
            try:
                replies += self._receive()
            except BlockingIOError:
                return first, replies

    def _send(self, data: bytes) -> None:
        self._socket.sendto(data, (0, 0))

    def _receive_due(self, what: str) -> list[Message]:
        try:
            return self._receive()
        except BlockingIOError:
            raise OSError(errno.ENOBUFS, f"{what}: the kernel's reply was lost") from None

    def _receive(self) -> list[Message]:
        """Read one datagram of the kernel.

        Raises:
            BlockingIOError: there is none.
            OSError: ENOBUFS when replies were lost, EMSGSIZE when one was cut.
        """
        while True:
            data, _ancillary, flags, sender = self._socket.recvmsg(_DATAGRAM_BYTES, 0, socket.MSG_DONTWAIT)
            if flags & socket.MSG_TRUNC:
                raise OSError(errno.EMSGSIZE, f"a netlink reply is longer than {_DATAGRAM_BYTES} bytes")
            if sender[0] != 0:
                continue  # another process wrote to our port: only the kernel (port 0) is believed
            messages = [m for m in iter_messages(data) if m.kind != NLMSG_NOOP]
            if any(m.kind == NLMSG_OVERRUN for m in messages):
                raise OSError(errno.ENOBUFS, "netlink replies were lost")
            return messages


def error_of(reply: Message, what: str) -> OSError | None:
    """Return the error that an NLMSG_ERROR message carries, or None for an acknowledgement."""
    number = -read_i32(reply.payload)
    if number == 0:
        return None
    explanation = _explanation(reply)
    text = f"{what}: {os.strerror(number)}"
    return OSError(number, f"{text} ({explanation})" if explanation else text)


def _explanation(reply: Message) -> str:
    """Return the extended acknowledgement's text. It follows the error code and the echoed request."""
    if not reply.flags & NLM_F_ACK_TLVS:
        return ""
    echoed = HEADER_SIZE if reply.flags & NLM_F_CAPPED else (read_u32(reply.payload[4:8]) + 3) & ~3
    text = attributes(reply.payload, 4 + echoed).get(_NLMSGERR_ATTR_MSG, b"")
    return read_string(text)


def _check_done(reply: Message, what: str) -> None:
    """A dump that failed half-way says so in the status word of NLMSG_DONE."""
    number = -read_i32(reply.payload) if len(reply.payload) >= 4 else 0
    if number > 0:
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _set_option(sock: socket.socket, level: int, option: int, value: int) -> bool:
    """Set a socket option that an older kernel or a missing privilege may refuse."""
    try:
        sock.setsockopt(level, option, value)
    except OSError:
        return False
    return True
