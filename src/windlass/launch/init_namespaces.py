"""Steps that make, join and furnish namespaces."""

from __future__ import annotations

import errno
import os
import select
import stat

from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import mount as m
from windlass.linux import namespaces
from windlass.linux.fs import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, is_procfs, openat2
from windlass.linux.loopback import loopback_up as bring_up_loopback
from windlass.linux.process import set_dumpable
from windlass.linux.user_namespace import new_user_namespace
from windlass.spec import plan as ops

_MAX_MAP_BYTES = 1 << 16
_WITHIN = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV


def unshare(_ctx: InitContext, op: ops.Unshare) -> None:
    """New namespaces for this process; those of processes and time are for its children."""
    namespaces.unshare(op.flags)


def set_ns(ctx: InitContext, op: ops.SetNs) -> None:
    """Join one namespace by path or passed descriptor."""
    if op.fd >= 0:
        namespaces.setns(ctx.passed_fds[op.fd], op.nstype)
        return
    fd = os.open(op.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        namespaces.setns(fd, op.nstype)
    finally:
        os.close(fd)


def join_target(ctx: InitContext, op: ops.JoinTarget) -> None:
    """Join the container's namespaces at once; its root is ours afterwards."""
    if op.flags & namespaces.CLONE_NEWUSER:
        ctx.outer_uid, ctx.outer_gid = _mapped_root(ctx.target_pidfd)
        _give_pipes(ctx.outer_uid, ctx.outer_gid)
    namespaces.setns(ctx.target_pidfd, op.flags)
    if op.flags & namespaces.CLONE_NEWUSER:
        _become_root()
    ctx.set_root(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


# --- user namespaces ------------------------------------------------------------------------------


def user_ns(ctx: InitContext, op: ops.UserNs) -> None:
    """Open or make the user namespace; what only the host's root may open is opened now."""
    if op.fd >= 0:
        ctx.userns_fd = ctx.passed_fds[op.fd]
    elif op.path:
        ctx.userns_fd = os.open(op.path, os.O_RDONLY | os.O_CLOEXEC)
    else:
        ctx.userns_fd = make_user_namespace(op.uid_map, op.gid_map)
    # Not the owner of its own files in /proc once it has another id (it is not dumpable).
    if any(isinstance(step, ops.TimeOffsets) for step in ctx.plan.ops):
        ctx.offsets_fd = os.open("/proc/self/timens_offsets", os.O_WRONLY | os.O_CLOEXEC)
    ctx.outer_uid, ctx.outer_gid = _outside(op.uid_map), _outside(op.gid_map)
    if ctx.outer_uid < 0:
        ctx.outer_uid, ctx.outer_gid = _ask_mapped_root(ctx.userns_fd)
    _give_pipes(ctx.outer_uid, ctx.outer_gid)


def make_user_namespace(uids: list[ops.IdRange], gids: list[ops.IdRange]) -> int:
    """Make a user namespace with these maps and return its descriptor.

    Raises:
        StepFailed: the kernel refuses; names the ranges.
    """
    try:
        return new_user_namespace(uids, gids)
    except OSError as error:
        raise StepFailed(f"make a user namespace: {error.strerror}") from None


def enter_user_ns(ctx: InitContext, _op: ops.EnterUserNs) -> None:
    """Join the user namespace at hand, as its root and without groups."""
    namespaces.setns(ctx.userns_fd, namespaces.CLONE_NEWUSER)
    _become_root()


def _become_root() -> None:
    try:
        os.setgroups([])
    except PermissionError:
        # A namespace that an ordinary user mapped may not change groups (user_namespaces(7), "setgroups").
        pass
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    set_dumpable(False)


def _outside(ranges: list[ops.IdRange]) -> int:
    """Return the id outside of id 0 inside; -1 when there is none."""
    return next((one.outside - one.inside for one in ranges if one.inside == 0), -1)


def _ask_mapped_root(userns_fd: int) -> tuple[int, int]:
    """Return who the root of a namespace is outside: a child goes in, and its maps are read from here."""
    end_read, end_write = os.pipe2(os.O_CLOEXEC)
    ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(end_write)
            namespaces.setns(userns_fd, namespaces.CLONE_NEWUSER)
            os.write(ready_write, b"1")
            os.read(end_read, 1)
        finally:
            os._exit(0)
    os.close(ready_write)
    try:
        if not os.read(ready_read, 1):
            return -1, -1
        pidfd = os.pidfd_open(pid)
        try:
            return _mapped_root(pidfd)
        finally:
            os.close(pidfd)
    finally:
        for fd in (ready_read, end_read, end_write):
            os.close(fd)
        os.waitpid(pid, 0)


def _mapped_root(pidfd: int) -> tuple[int, int]:
    """Return the ids, in our namespace, of the root of the process's user namespace; -1 where it has none."""
    directory = f"/proc/{_pid_of(pidfd)}"
    return _read_outside(f"{directory}/uid_map"), _read_outside(f"{directory}/gid_map")


def _pid_of(pidfd: int) -> int:
    """Return the pid behind a pidfd as the procfs at /proc numbers it."""
    with open(f"/proc/self/fdinfo/{pidfd}", "rb", buffering=0) as file:
        for line in file.read(4096).splitlines():
            if line.startswith(b"Pid:"):
                return int(line[4:])
    raise StepFailed("the container's process has ended")


def _read_outside(path: str) -> int:
    with open(path, "rb", buffering=0) as file:
        rows = [[int(word) for word in line.split()] for line in file.read(_MAX_MAP_BYTES).splitlines()]
    return _outside([ops.IdRange(*row) for row in rows])


def _give_pipes(uid: int, gid: int) -> None:
    """Let the root of the user namespace open its own streams again by /dev/stdout: it may not take them itself."""
    if uid < 0 or gid < 0:
        return
    for number in range(3):
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            try:
                os.fchown(number, uid, gid)
            except PermissionError:
                # An ordinary user's command can have streams of others.
                return


# --- what belongs to namespaces -------------------------------------------------------------------


def time_offsets(ctx: InitContext, op: ops.TimeOffsets) -> None:
    """Write all offsets at once; possible until the first process is in the namespace."""
    text = "".join(f"{clock} {seconds} {nanoseconds}\n" for clock, seconds, nanoseconds in op.values)
    fd = ctx.offsets_fd if ctx.offsets_fd >= 0 else os.open("/proc/self/timens_offsets", os.O_WRONLY | os.O_CLOEXEC)
    ctx.offsets_fd = -1
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def fork(ctx: InitContext, _op: ops.Fork) -> None:
    """Go on in a child; the parent reports its pid and ends. The child waits for that end.

    Only then it has the parent that it will keep, whose death it wants to hear of.
    """
    parent = os.pidfd_open(os.getpid())
    pid = os.fork()
    if pid:
        try:
            os.write(ctx.pid_fd, str(pid).encode())
        finally:
            os._exit(0)
    select.select([parent], [], [])
    os.close(parent)
    # The session that its parent led is not its own: it could not have a terminal.
    os.setsid()


def loopback_up(_ctx: InitContext, _op: ops.LoopbackUp) -> None:
    """Bring up lo."""
    bring_up_loopback()


def hostname(_ctx: InitContext, op: ops.Hostname) -> None:
    """Set the names of the UTS namespace."""
    if op.hostname:
        namespaces.sethostname(op.hostname.encode())
    if op.domainname:
        namespaces.setdomainname(op.domainname.encode())


def sysctl(_ctx: InitContext, op: ops.Sysctl) -> None:
    """Write parameters below a /proc/sys that is really procfs: no symbolic link, no mount on top (CVE-2025-52881).

    Where /proc is not so, as in a container, a new one that nobody sees takes its place; it costs a quarter of a
    millisecond.
    """
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not is_procfs(proc):
            proc = _replace_proc(proc)
        for key, value in op.values:
            path = b"sys/" + (key if "/" in key else key.replace(".", "/")).encode()
            try:
                fd = openat2(proc, path, os.O_WRONLY, resolve=_WITHIN)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise StepFailed(f"open sysctl {key} file: {reason(error)}") from None
                proc = _replace_proc(proc)
                fd = openat2(proc, path, os.O_WRONLY, resolve=_WITHIN)
            _write_sysctl(fd, key, value)
    finally:
        os.close(proc)


def _replace_proc(proc: int) -> int:
    os.close(proc)
    return m.fsmount("proc", "proc", [], 0)


def _write_sysctl(fd: int, key: str, value: str) -> None:
    try:
        os.write(fd, value.encode())
    except OSError as error:
        raise StepFailed(f"write sysctl {key}: {reason(error)}") from None
    finally:
        os.close(fd)
