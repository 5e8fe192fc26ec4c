"""Requests and replies over a socket pair that plays the kernel."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable

import pytest

from windlass.netlink import codec
from windlass.netlink.connection import Connection, Request

Answer = Callable[[codec.Message], list[bytes]]


class Kernel:
    """A netlink socket as `Connection` sees it: what is sent is answered at once, from port 0."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.answer = answer
        self.port = port
        self.sent: list[codec.Message] = []
        self.datagrams: list[bytes] = []
        self.send_calls = 0

    def setsockopt(self, *_arguments: object) -> None:
        pass

    def close(self) -> None:
        pass

    def sendto(self, data: bytes, _address: object) -> None:
        self.send_calls += 1
        for message in codec.iter_messages(data):
            self.sent.append(message)
            self.datagrams += self.answer(message)

    def recvmsg(self, _size: int, _ancillary: int, _flags: int) -> tuple[bytes, list[object], int, tuple[int, int]]:
        if not self.datagrams:
            raise BlockingIOError(errno.EAGAIN, "nothing there")
        return self.datagrams.pop(0), [], 0, (self.port, 0)


def connection(answer: Answer, port: int = 0) -> tuple[Connection, Kernel]:
    kernel = Kernel(answer, port)
    return Connection(kernel), kernel  # type: ignore[arg-type]


def error(to: codec.Message, number: int, text: str = "") -> bytes:
    echoed = struct.pack("=IHHII", 16 + len(to.payload), to.kind, to.flags, to.sequence, 0)
    payload = struct.pack("=i", -number) + echoed
    if not text:
        return codec.message(codec.NLMSG_ERROR, codec.NLM_F_CAPPED, to.sequence, payload)
    flags = codec.NLM_F_CAPPED | codec.NLM_F_ACK_TLVS
    return codec.message(codec.NLMSG_ERROR, flags, to.sequence, payload + codec.string(1, text))


def ask(kind: int = 16, what: str = "make it so") -> Request:
    return Request(kind, 0, b"abcd", what)


def test_several_requests_travel_in_one_send_and_replies_are_told_apart() -> None:
    link, kernel = connection(lambda m: [codec.message(99, 0, m.sequence, bytes([m.kind])), error(m, 0)])
    replies = link.execute([ask(16), ask(17)])
    assert kernel.send_calls == 1
    assert [[r.payload for r in each] for each in replies] == [[b"\x10"], [b"\x11"]]
    assert all(m.flags & codec.NLM_F_ACK and m.flags & codec.NLM_F_REQUEST for m in kernel.sent)


def test_refusal_says_what_was_attempted_and_why() -> None:
    link, _kernel = connection(lambda m: [error(m, errno.EEXIST if m.kind == 17 else 0, "name is taken")])
    with pytest.raises(FileExistsError, match=r"make bridge: File exists \(name is taken\)"):
        link.execute([ask(16), ask(17, "make bridge"), ask(18)])


def test_refusal_that_echoes_the_request_is_understood() -> None:
    def answer(m: codec.Message) -> list[bytes]:
        echoed = struct.pack("=IHHII", 16 + len(m.payload), m.kind, m.flags, m.sequence, 0) + m.payload
        payload = struct.pack("=i", -errno.EINVAL) + echoed + codec.string(1, "bad mtu")
        return [codec.message(codec.NLMSG_ERROR, codec.NLM_F_ACK_TLVS, m.sequence, payload)]

    with pytest.raises(OSError, match=r"make it so: Invalid argument \(bad mtu\)"):
        connection(answer)[0].execute([ask()])


def test_attempt_reports_each() -> None:
    link, _kernel = connection(lambda m: [error(m, errno.ENODEV if m.kind == 17 else 0)])
    failures = link.attempt([ask(16), ask(17)])
    assert failures[0] is None
    assert failures[1] is not None and failures[1].errno == errno.ENODEV


def test_tolerated_refusal_is_none() -> None:
    link, _kernel = connection(lambda m: [error(m, errno.EAFNOSUPPORT)])
    link.execute([Request(19, 0, b"", "turn off IPv6", (errno.EAFNOSUPPORT,))])


def test_lost_reply_is_an_error_and_not_a_hang() -> None:
    link, _kernel = connection(lambda _m: [])
    with pytest.raises(OSError, match="make it so: the kernel's reply was lost") as failure:
        link.execute([ask()])
    assert failure.value.errno == errno.ENOBUFS


def test_only_the_kernel_is_believed() -> None:
    link, _kernel = connection(lambda m: [error(m, 0)], port=4711)
    with pytest.raises(OSError, match="was lost"):
        link.execute([ask()])


def test_late_replies_to_earlier_requests_are_passed_over() -> None:
    link, kernel = connection(lambda m: [error(m, 0)])
    link.execute([ask()])
    kernel.datagrams.append(error(kernel.sent[0], errno.EPERM))
    link.execute([ask()])


def done(to: codec.Message, number: int = 0) -> bytes:
    return codec.message(codec.NLMSG_DONE, codec.NLM_F_MULTI, to.sequence, struct.pack("=i", -number))


def test_dump_gathers_datagrams_until_done() -> None:
    def answer(m: codec.Message) -> list[bytes]:
        assert m.flags & codec.NLM_F_DUMP == codec.NLM_F_DUMP
        part = codec.message(16, codec.NLM_F_MULTI, m.sequence, b"part")
        return [part + part, part, done(m)]

    assert [r.payload for r in connection(answer)[0].dump(ask())] == [b"part"] * 3


def test_interrupted_dump_is_made_again() -> None:
    attempts = 0

    def answer(m: codec.Message) -> list[bytes]:
        nonlocal attempts
        attempts += 1
        flags = codec.NLM_F_MULTI | (codec.NLM_F_DUMP_INTR if attempts == 1 else 0)
        return [codec.message(16, flags, m.sequence, bytes([attempts])), done(m)]

    assert [r.payload for r in connection(answer)[0].dump(ask())] == [b"\x02"]


def test_dump_that_never_holds_still_gives_up() -> None:
    link, kernel = connection(lambda m: [codec.message(16, codec.NLM_F_DUMP_INTR, m.sequence, b""), done(m)])
    with pytest.raises(InterruptedError, match="list things: changed during each"):
        link.dump(ask(what="list things"))
    assert 1 < len(kernel.sent) < 100


def test_dump_that_fails_at_its_start_or_its_end_raises() -> None:
    with pytest.raises(PermissionError):
        connection(lambda m: [error(m, errno.EPERM)])[0].dump(ask())
    with pytest.raises(OSError, match="No such device"):
        connection(lambda m: [done(m, errno.ENODEV)])[0].dump(ask())


def test_sequence_numbers_wrap_without_zero() -> None:
    link, kernel = connection(lambda m: [error(m, 0)])
    link._sequence = 0xFFFFFFFE
    link.execute([ask(), ask()])
    link.execute([ask()])
    assert [m.sequence for m in kernel.sent] == [1, 2, 3]
