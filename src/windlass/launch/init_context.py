"""What init knows while it interprets a plan, and how it reports a failed step."""

from __future__ import annotations

import errno
import os

from windlass.spec import struct
from windlass.spec.plan import LaunchPlan


class StepFailed(Exception):
    """A step that failed with words of its own instead of a system call's."""

    def __init__(self, message: str, exit_code: int = 125) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class InitContext(struct.Struct):
    """The state of one interpretation.

    `root_fd` is the new root, or `/` once it is pivoted to (exec: after joining). `passed_fds` came with the plan.
    `terminal_socket` takes the master of the process's terminal to the supervisor. `start_fd` holds a created container
    until a byte comes. `sync_fd` is the seqpacket socket of `Sync`. `pid_fd` takes the pid, in decimal, of the child
    that `Fork` goes on in. `userns_fd` is the user namespace at hand, whose root is `outer_uid` and `outer_gid` outside
    (-1: unknown). `root_mount` is the root's mount while detached.
    `step` is the position of the present operation; `sources` are the trees that `PrepareBinds` cloned, by the position
    of their op. `program` is what `FindProgram` found. `offsets_fd` is the file of `TimeOffsets` while out of reach.
    With `bound` the process is killed when its parent ends, or nobody would know its end. Only the parent reads from
    the pipe of `error_fd`.
    """

    plan: LaunchPlan
    cgroup_fds: list[int]
    passed_fds: list[int]
    target_pidfd: int = -1
    terminal_socket: int = -1
    start_fd: int = -1
    sync_fd: int = -1
    pid_fd: int = -1
    userns_fd: int = -1
    outer_uid: int = -1
    outer_gid: int = -1
    root_mount: int = -1
    offsets_fd: int = -1
    bound: bool = True
    error_fd: int = -1
    step: int = 0
    sources: dict[int, int] = {}
    program: str = ""
    rows: int = 0
    columns: int = 0
    root_fd: int = -1
    uid: int = 0
    gid: int = 0
    groups: list[int] = []
    home: str = "/"

    def own_fds(self) -> set[int]:
        """Descriptors that the program must never see."""
        single = (self.target_pidfd, self.terminal_socket, self.start_fd, self.sync_fd, self.pid_fd)
        return {*self.cgroup_fds, *self.passed_fds, *single} - {-1}

    def set_root(self, fd: int) -> None:
        """Replace the root descriptor."""
        if self.root_fd >= 0:
            os.close(self.root_fd)
        self.root_fd = fd


def reason(error: OSError) -> str:
    """Say why a call failed, in the words of the field: lower case, without number and path."""
    if error.errno is None:
        return str(error)
    text = os.strerror(error.errno)
    detail = error.strerror or ""
    if detail and ": " in detail and not detail.endswith(text):
        return detail
    return text[:1].lower() + text[1:] if error.errno != errno.EIO else "input/output error"
