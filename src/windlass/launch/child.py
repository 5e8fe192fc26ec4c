"""Forking a process that interprets a plan, and knowing how that went and how it ended.

The parent keeps: a pidfd, an error pipe (end of file without a word: the exec succeeded) and the ends of the streams.
Nothing here blocks; the supervisor's poller tells when there is something to read.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.launch import init
from windlass.launch.init_context import InitContext
from windlass.launch.pid_namespace import enter_pid_namespace
from windlass.linux import namespaces
from windlass.linux.process import become_subreaper
from windlass.linux.terminal import set_window_size
from windlass.spec.plan import Fork, LaunchPlan
from windlass.spec.task import IoPlan

_SIGNALLED = 128


@dataclass(slots=True)
class Child:
    """A forked process: starting until the error pipe ends, then running until the pidfd is readable."""

    pid: int
    pidfd: int
    error_fd: int
    outputs: dict[int, str]
    stdin: int
    tty: bool
    terminal_socket: int = -1
    _failure: bytes = field(default=b"", repr=False)

    def read_error(self) -> bool:
        """Read from the error pipe once; True when it has ended."""
        data = os.read(self.error_fd, 65536)
        self._failure += data
        return not data

    def failure(self) -> init.Failure | None:
        """Return why the process did not become the program; None when it did. Call once, after the pipe's end."""
        os.close(self.error_fd)
        self.error_fd = -1
        if self._failure:
            return init.decode_failure(self._failure)
        return None

    def take_terminal(self) -> None:
        """Receive the master of the terminal that init allocated; it is output and stdin in one."""
        with socket.socket(fileno=self.terminal_socket) as sock:
            sock.setblocking(False)
            try:
                _, fds, _, _ = socket.recv_fds(sock, 1, 1)
            except BlockingIOError:
                fds = []
        self.terminal_socket = -1
        if fds:
            os.set_inheritable(fds[0], False)
            self.outputs = {fds[0]: "stdout"}
            self.stdin = fds[0]

    def resize(self, rows: int, columns: int) -> None:
        """Set the terminal's size."""
        if self.tty and self.stdin >= 0:
            set_window_size(self.stdin, rows, columns)

    def kill(self, number: int) -> None:
        """Signal the process; a process that has ended is not an error."""
        try:
            signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            pass

    def reap(self) -> int:
        """Wait for the ended process and return its exit code, 128+n for death by signal n."""
        result = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED)
        os.close(self.pidfd)
        self.pidfd = -1
        if result is None:
            return _SIGNALLED + signal.SIGKILL
        if result.si_code == os.CLD_EXITED:
            return result.si_status
        return _SIGNALLED + result.si_status


def spawn_first(plan: LaunchPlan, io: IoPlan, passed_fds: list[int]) -> Child:
    """Fork the container's first process, in its pid namespace; later forks of the caller land there too.

    A plan with `Fork` goes on in a grandchild, which becomes the caller's own child.

    Raises:
        OSError: as `spawn`.
    """
    enter_pid_namespace(plan)
    if not any(isinstance(op, Fork) for op in plan.ops):
        return spawn(plan, io, passed_fds)
    become_subreaper()
    pid_read, pid_write = os.pipe2(os.O_CLOEXEC)
    try:
        child = spawn(plan, io, passed_fds, pid_fd=pid_write)
        os.close(pid_write)
        pid_write = -1
        follow_fork(child, pid_read)
    finally:
        for fd in {pid_read, pid_write} - {-1}:
            os.close(fd)
    return child


def follow_fork(child: Child, pid_fd: int) -> None:
    """Make `child` the process that its plan's `Fork` goes on in, whose pid comes through `pid_fd`.

    The caller is a child subreaper. Later forks of its land in that process's pid namespace. When the plan fails before
    the fork, `child` stays what it is, and its error pipe says why.

    Raises:
        OSError: the namespace cannot be joined.
    """
    text = os.read(pid_fd, 32)
    if not text:
        return
    pidfd = os.pidfd_open(int(text))
    os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED)
    os.close(child.pidfd)
    child.pid, child.pidfd = int(text), pidfd
    try:
        namespaces.setns(pidfd, namespaces.CLONE_NEWPID)
    except ProcessLookupError:
        # It has failed already: its error pipe says why.
        return


def spawn(plan: LaunchPlan, io: IoPlan, passed_fds: list[int], target_pidfd: int = -1, *, pid_fd: int = -1) -> Child:
    """Fork a process that interprets `plan`.

    Raises:
        OSError: a cgroup file cannot be opened, or the fork failed; nothing is left open.
    """
    opened: list[int] = []

    def keep(*fds: int) -> tuple[int, ...]:
        opened.extend(fds)
        return fds

    try:
        cgroup_fds = [keep(os.open(path, os.O_WRONLY | os.O_CLOEXEC))[0] for path in plan.cgroup_files]
        error_read, error_write = keep(*os.pipe2(os.O_CLOEXEC))
        terminal = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) if io.tty else None
        pipes = StdioPipes(io, keep)
        context = InitContext(
            plan=plan,
            cgroup_fds=cgroup_fds,
            passed_fds=passed_fds,
            target_pidfd=target_pidfd,
            terminal_socket=terminal[1].fileno() if terminal else -1,
            pid_fd=pid_fd,
            rows=io.rows,
            columns=io.columns,
        )
        pid = os.fork()
        if pid == 0:
            try:
                # While we held it, its other end could not tell that the parent is gone.
                os.close(error_read)
                pipes.connect()
                init.become(context, error_write)
            finally:
                os._exit(1)
    except BaseException:
        for fd in opened:
            os.close(fd)
        raise
    for fd in (*cgroup_fds, error_write, *pipes.child_ends()):
        os.close(fd)
    if terminal:
        terminal[1].close()
    return Child(
        pid=pid,
        pidfd=os.pidfd_open(pid),
        error_fd=error_read,
        outputs=pipes.outputs(),
        stdin=pipes.stdin_write,
        tty=io.tty,
        terminal_socket=terminal[0].detach() if terminal else -1,
    )


class StdioPipes:
    """The three streams of a process without a terminal (with one: the null device until it has it)."""

    def __init__(self, io: IoPlan, keep: Callable[..., tuple[int, ...]]) -> None:
        self.stdin_write = -1
        if io.stdin and not io.tty:
            self.stdin_read, self.stdin_write = keep(*os.pipe2(os.O_CLOEXEC))
        else:
            (self.stdin_read,) = keep(os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC))
        self._reads: dict[int, str] = {}
        self._writes: list[int] = []
        if not io.tty:
            for stream in ("stdout", "stderr"):
                read, write = keep(*os.pipe2(os.O_CLOEXEC))
                self._reads[read] = stream
                self._writes.append(write)

    def outputs(self) -> dict[int, str]:
        """The reading ends by stream."""
        return self._reads

    def child_ends(self) -> list[int]:
        """What the parent closes after the fork."""
        return [self.stdin_read, *self._writes]

    def connect(self) -> None:
        """In the child: make the streams descriptors 0 to 2."""
        stdout, stderr = self._writes if self._writes else (self.stdin_read, self.stdin_read)
        connect_streams(self.stdin_read, stdout, stderr)


def connect_streams(stdin: int, stdout: int, stderr: int) -> None:
    """Make descriptors 0 to 2 of the calling process copies of these."""
    # Above 2 first, so that no dup2 overwrites an end that is still needed.
    for number, fd in enumerate([fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (stdin, stdout, stderr)]):
        os.dup2(fd, number, inheritable=True)
