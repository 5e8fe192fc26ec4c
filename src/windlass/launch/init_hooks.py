"""Steps that wait for others: the runtime that launched us, its hooks, and the order to start.

`Sync` is one message on a seqpacket socket (`InitContext.sync_fd`) and one answer. The message is JSON with `point`,
`pid` (init's own view; the receiver knows the host's from its fork, or from `InitContext.pid_fd` after `Fork`) and
`fd` (a descriptor number of init's to copy, or -1). The answer is `1` for go, or `0` and a text that fails the step; an
end of file fails it too. Points, in order: `namespaces` (made and joined, nothing of them set), `prestart` (the root is
mounted and not yet `/`), `seccomp` (a listener is at `fd`), `created` (all but the exec is done).
"""

from __future__ import annotations

import os
import select
import time

from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import signals
from windlass.linux.process import close_on_exec_from
from windlass.spec import plan as ops

_ANSWER_BYTES = 8192
_STDERR_BYTES = 4096
_GO = b"1"


def sync(ctx: InitContext, op: ops.Sync) -> None:
    """Report the point and wait."""
    ask(ctx, op.point)


def ask(ctx: InitContext, point: str, fd: int = -1) -> None:
    """Say that `point` is reached and wait for the answer, by write and read alone: a filter may watch other calls.

    Raises:
        StepFailed: the answer is no, or nobody is there to give one.
    """
    os.write(ctx.sync_fd, b'{"point":"%s","pid":%d,"fd":%d}' % (point.encode(), os.getpid(), fd))
    answer = os.read(ctx.sync_fd, _ANSWER_BYTES)
    if answer[:1] == _GO:
        return
    raise StepFailed(answer[1:].decode(errors="replace") or f"the runtime went away at {point}")


def wait_start(ctx: InitContext, _op: ops.WaitStart) -> None:
    """Block until a byte comes; an end of file means that nobody will start us."""
    if not os.read(ctx.start_fd, 1):
        raise StepFailed("container was deleted before it was started")


def run_hooks(_ctx: InitContext, op: ops.RunHooks) -> None:
    """Run the hooks one after the other, as whoever we are by now."""
    # Pids are those of the namespace that the hook runs in (runtime-spec, "State").
    state = f'{op.state.rstrip().removesuffix("}").rstrip().rstrip(",")},"pid":{os.getpid()}}}'.encode()
    signals.handle(signals.SIGPIPE, signals.SIG_IGN)
    for number, hook in enumerate(op.hooks):
        _run_hook(f"error running {op.point} hook #{number}", hook, state)
    signals.handle(signals.SIGPIPE, signals.SIG_DFL)


def _run_hook(where: str, hook: ops.HookCommand, state: bytes) -> None:
    stdin = os.memfd_create("state", os.MFD_CLOEXEC)
    errors_read, errors_write = os.pipe2(os.O_CLOEXEC)
    try:
        os.write(stdin, state)
        os.lseek(stdin, 0, os.SEEK_SET)
        pid = os.fork()
        if pid == 0:
            _become_hook(hook, stdin, errors_write)
        os.close(errors_write)
        errors_write = -1
        ended, said = _watch(pid, errors_read, hook.timeout)
    finally:
        for fd in (stdin, errors_read, errors_write):
            if fd >= 0:
                os.close(fd)
    if not ended:
        raise StepFailed(f"{where}: {hook.path}: hook ran past specified timeout of {hook.timeout}s")
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        how = f"exit status {code}" if code > 0 else f"signal: {signals.describe(-code) or -code}"
        raise StepFailed(f"{where}: {hook.path}: {how}, stderr: {said.decode(errors='replace').strip()}")


def _become_hook(hook: ops.HookCommand, stdin: int, stderr: int) -> None:
    """In the child: become the hook, with nothing of ours but the streams."""
    try:
        os.setsid()
        signals.handle(signals.SIGPIPE, signals.SIG_DFL)
        os.dup2(stdin, 0, inheritable=True)
        os.dup2(stderr, 2, inheritable=True)
        close_on_exec_from(3)
        environment = dict(entry.split("=", 1) for entry in hook.env if "=" in entry[1:])
        try:
            os.execve(hook.path, hook.args or [hook.path], environment)
        except OSError as error:
            os.write(2, f"exec: {reason(error)}".encode())
    finally:
        os._exit(127)


def _watch(pid: int, errors: int, timeout: int) -> tuple[bool, bytes]:
    """Wait for the hook's end, passing on what it says on stderr; returns whether it ended in time, and the last of it.

    A hook out of time is killed with those of its children that stayed in its process group.
    """
    deadline = time.monotonic() + timeout if timeout else None
    pidfd = os.pidfd_open(pid)
    watched = [pidfd, errors]
    said = b""
    try:
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(watched, [], [], left)
            if errors in ready:
                data = _relay(errors)
                said = (said + data)[-_STDERR_BYTES:]
                if not data:
                    watched.remove(errors)
            elif pidfd in ready:
                return True, said
            elif not ready:
                _kill(pid, pidfd)
                return False, said
    finally:
        os.close(pidfd)


def _kill(pid: int, pidfd: int) -> None:
    try:
        os.killpg(pid, signals.SIGKILL)
    except ProcessLookupError:
        # Not yet the leader of a group.
        signals.send(pidfd, signals.SIGKILL)
    os.waitpid(pid, 0)


def _relay(errors: int) -> bytes:
    data = os.read(errors, 65536)
    try:
        os.write(2, data)
    except OSError:
        # Nobody reads our stderr.
        pass
    return data
