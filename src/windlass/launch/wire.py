"""Messages between daemon, zygote and supervisors: one JSON datagram each, with descriptors beside it.

All sockets are SOCK_SEQPACKET: a message is whole or absent, and a peer's death is an end of file. Every message is a
tagged struct; unknown members are ignored, so that a newer daemon can talk to an older supervisor. Large things (plans)
travel in memfds, so no datagram exceeds `MAX_MESSAGE` bytes.
"""

from __future__ import annotations

import array
import errno
import os
import socket

import msgspec

from windlass.spec.plan import IdRange
from windlass.spec.task import ExitRecord

PROTOCOL_VERSION = 1
MAX_MESSAGE = 128 * 1024
MAX_FDS = 250


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, omit_defaults=True):
    """Base of all messages."""


# --- daemon to zygote ---------------------------------------------------------------------------
# The first descriptor is always the socket on which the child answers.


class Launch(Message, frozen=True):
    """Fork a supervisor.

    Descriptors: control socket, listener, plan memfd, those passed on to init (`netns`, then `userns`), attachments,
    holds.
    """

    attachments: list[AttachSpec] = []
    netns: bool = False
    userns: bool = False
    holds: int = 0


class MakeNetns(Message, frozen=True):
    """Fork a child that makes a network namespace. Descriptors: answer socket, [user namespace].

    The user namespace owns it; one is made when there are mappings, `uids` and `gids`. Without, the host's does.
    """

    uids: list[IdRange] = []
    gids: list[IdRange] = []


class RunJob(Message, frozen=True):
    """Fork a worker. Descriptors: answer socket, parameters memfd, the job's own."""

    name: str


ToZygote = Launch | MakeNetns | RunJob


# --- daemon to supervisor -----------------------------------------------------------------------


class AttachSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one client's connection is served; see `windlass.runtime.task.Attachment`."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    framed: bool = False
    leftover: bytes = b""
    detach_keys: bytes = b""


class Attach(Message, frozen=True):
    """Serve a client. Descriptors: its connection."""

    seq: int
    spec: AttachSpec
    exec_id: str = ""


class Exec(Message, frozen=True):
    """Start one more process. Descriptors: plan memfd, then a connection for each attachment."""

    seq: int
    attachments: list[AttachSpec] = []


class Kill(Message, frozen=True):
    """Send a signal to init or to an exec'd process."""

    seq: int
    signal: int
    exec_id: str = ""


class Resize(Message, frozen=True):
    """Set a terminal's size."""

    seq: int
    rows: int
    columns: int
    exec_id: str = ""


class Manage(Message, frozen=True):
    """Run `pause`, `resume` or `update` of the container's foreign runtime. Descriptors: [resources for `update`]."""

    seq: int
    command: str


class Query(Message, frozen=True):
    """Ask for `Status`: the first message of a daemon that adopts."""

    seq: int
    version: int = PROTOCOL_VERSION


ToSupervisor = Attach | Exec | Kill | Resize | Manage | Query


# --- supervisor to daemon -----------------------------------------------------------------------


class Done(Message, frozen=True):
    """The answer to request `seq`; an `error` says why it failed, in words for the user."""

    seq: int
    error: str = ""
    exit_code: int = 0
    pid: int = 0


class Started(Message, frozen=True):
    """Init has become the container's process."""

    pid: int
    started_at_ns: int


class StartError(Message, frozen=True):
    """Init could not; the supervisor ends."""

    error: str
    exit_code: int


class Status(Message, frozen=True):
    """What the supervisor supervises: its init, the execs still running by id, and how the latest others ended.

    `foreign` tells that another runtime has made the container.
    """

    seq: int
    pid: int
    started_at_ns: int
    foreign: bool = False
    execs: dict[str, int] = {}
    ended_execs: dict[str, int] = {}
    version: int = PROTOCOL_VERSION


class Exited(Message, frozen=True):
    """The container's process has ended and its output is in the log."""

    record: ExitRecord


class ExecExited(Message, frozen=True):
    """An exec'd process has ended."""

    exec_id: str
    exit_code: int


class Detached(Message, frozen=True):
    """A client typed its detach keys."""

    exec_id: str = ""


class Oom(Message, frozen=True):
    """The kernel killed a process of the container for memory."""


FromSupervisor = Done | Started | StartError | Status | Exited | ExecExited | Detached | Oom


# --- worker or netns child to daemon ------------------------------------------------------------


class JobStarted(Message, frozen=True):
    """The worker runs. Descriptors: its pidfd."""

    pid: int


class JobResult(Message, frozen=True):
    """The worker's result as JSON, or the kind and text of its error."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error_kind: str = ""
    error: str = ""


class NetnsMade(Message, frozen=True):
    """Descriptors: the namespace, a NETLINK_ROUTE socket opened inside it, [the user namespace that owns it]."""


class ChildFailed(Message, frozen=True):
    """A zygote's child failed before it could do its work."""

    error: str


FromChild = JobStarted | JobResult | NetnsMade | ChildFailed

_encode = msgspec.json.Encoder().encode
zygote_decoder = msgspec.json.Decoder(ToZygote)
supervisor_decoder = msgspec.json.Decoder(ToSupervisor)
daemon_decoder = msgspec.json.Decoder(FromSupervisor)
child_decoder = msgspec.json.Decoder(FromChild)


def send(sock: socket.socket, message: Message, fds: list[int] | tuple[int, ...] = ()) -> None:
    """Send one message with descriptors.

    Raises:
        OSError: the peer is gone, or its queue is full and the socket does not block.
    """
    data = _encode(message)
    if fds:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds).tobytes())]
        sock.sendmsg([data], rights, socket.MSG_NOSIGNAL)
    else:
        sock.send(data, socket.MSG_NOSIGNAL)


def receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    """Receive one message; empty bytes at the end of file. Descriptors come close-on-exec.

    Raises:
        OSError: EMSGSIZE when a message was truncated (its descriptors are closed).
    """
    space = socket.CMSG_SPACE(MAX_FDS * 4)
    data, ancillary, flags, _ = sock.recvmsg(MAX_MESSAGE, space, socket.MSG_CMSG_CLOEXEC)
    fds: list[int] = []
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = payload[: len(payload) - len(payload) % 4]
            fds.extend(array.array("i", whole))
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for fd in fds:
            os.close(fd)
        raise OSError(errno.EMSGSIZE, "message truncated")
    return data, fds


def to_memfd(name: str, data: bytes) -> int:
    """Return a memfd that holds `data`, positioned at its start."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def from_memfd(fd: int, limit: int = 16 * 1024 * 1024) -> bytes:
    """Read all of a memfd from its start, at most `limit` bytes, and close it.

    Raises:
        ValueError: it is larger.
    """
    try:
        size = os.fstat(fd).st_size
        if size > limit:
            raise ValueError(f"plan of {size} bytes exceeds {limit}")
        chunks = []
        offset = 0
        while offset < size and (chunk := os.pread(fd, size - offset, offset)):
            chunks.append(chunk)
            offset += len(chunk)
        return b"".join(chunks)
    finally:
        os.close(fd)
