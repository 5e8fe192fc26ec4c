"""Steps that shape the process: limits, identity, working directory, privileges."""

from __future__ import annotations

import errno
import os
import resource
import select
import stat

from windlass.launch import users
from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.launch.init_hooks import ask
from windlass.linux import capabilities, namespaces, process
from windlass.spec import plan as ops


def rlimits(_ctx: InitContext, op: ops.Rlimits) -> None:
    """Set limits; without CAP_SYS_RESOURCE a hard limit can only fall, so best effort clamps to it."""
    for number, soft, hard in op.values:
        try:
            resource.setrlimit(number, (soft, hard))
        except (ValueError, OSError):
            if not op.best_effort:
                raise StepFailed(f"set rlimit {number} to {soft}:{hard}: operation not permitted") from None
            present = resource.getrlimit(number)[1]
            clamped = hard if hard != -1 and (present == -1 or hard <= present) else present
            wanted = soft if soft != -1 and (clamped == -1 or soft <= clamped) else clamped
            resource.setrlimit(number, (wanted, clamped))


def oom_score_adj(_ctx: InitContext, op: ops.OomScoreAdj) -> None:
    """Write oom_score_adj; lowering it needs CAP_SYS_RESOURCE."""
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, str(op.value).encode())
    finally:
        os.close(fd)


def new_keyring(_ctx: InitContext, op: ops.NewKeyring) -> None:
    """Leave the session keyring of whoever started the engine; kernels without keyrings have nothing to share."""
    try:
        process.join_session_keyring(op.name)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EDQUOT):
            raise


def resolve_user(ctx: InitContext, op: ops.ResolveUser) -> None:
    """Resolve the user inside the root; remembers it for `Credentials`."""
    if op.numeric:
        uid, _, gid = op.user.partition(":")
        ctx.uid, ctx.gid = int(uid or 0), int(gid or 0)
        ctx.groups = [int(group) for group in op.additional_groups]
        return
    identity = users.resolve(ctx.root_fd, op.user, op.additional_groups)
    ctx.uid, ctx.gid, ctx.groups, ctx.home = identity.uid, identity.gid, identity.groups, identity.home


def chdir(ctx: InitContext, op: ops.Chdir) -> None:
    """Change directory, then ask the kernel where we are: outside the root it has no name (CVE-2024-21626)."""
    if op.create:
        _make_working_directory(op.path)
    try:
        os.chdir(op.path)
    except OSError as error:
        raise StepFailed(f'chdir to cwd ("{op.path}") set in config.json failed: {reason(error)}') from None
    try:
        inside = os.getcwd().startswith("/")
    except OSError:
        inside = False
    if not inside:
        raise StepFailed(
            "current working directory is outside of container mount namespace root"
            " -- possible container breakout detected"
        )


def _make_working_directory(path: str) -> None:
    try:
        os.makedirs(path, 0o755, exist_ok=True)
    except OSError as error:
        raise StepFailed(f'mkdir cwd ("{path}"): {reason(error)}') from None


def join_cgroup(ctx: InitContext, op: ops.JoinCgroup) -> None:
    """Enter the cgroups.

    Writing 0 to a v1 `tasks` file moves the calling thread without the global rwsem: 0.1 ms instead of 10 ms for a
    foreign pid in `cgroup.procs` (cgroup_procs_write_start() in kernel/cgroup/cgroup.c).
    """
    for fd in ctx.cgroup_fds:
        os.write(fd, b"0")
    if op.unshare:
        namespaces.unshare(namespaces.CLONE_NEWCGROUP)


def seccomp(ctx: InitContext, op: ops.Seccomp) -> None:
    """Install the filter; the runtime takes its listener, if it has one, before we go on."""
    if not op.notify:
        process.install_seccomp(op.program, op.flags)
        return
    listener = process.install_seccomp(op.program, op.flags | process.SECCOMP_FILTER_FLAG_NEW_LISTENER)
    ask(ctx, "seccomp", listener)
    os.close(listener)


def no_new_privs(_ctx: InitContext, _op: ops.NoNewPrivs) -> None:
    """Set no_new_privs."""
    process.set_no_new_privs()


def credentials(ctx: InitContext, op: ops.Credentials) -> None:
    """Become the user, with exactly the capabilities of the plan."""
    for number in range(3):
        _give_stream(number, ctx.uid)
    capabilities.drop_bounding(op.bounding)
    process.prctl(process.PR_SET_KEEPCAPS, 1)
    _set_groups(ctx)
    os.setresgid(ctx.gid, ctx.gid, ctx.gid)
    os.setresuid(ctx.uid, ctx.uid, ctx.uid)
    # Another user than root loses at the exec what is not ambient, and must not have it in the exec's own checks.
    kept = -1 if ctx.uid == 0 else op.ambient
    capabilities.capset(op.effective & kept, op.permitted & kept, op.inheritable)
    process.prctl(process.PR_SET_KEEPCAPS, 0)
    if op.ambient:
        capabilities.set_ambient(op.ambient)
    # A change of credentials clears the parent-death signal: asked for only now.
    if ctx.bound:
        _die_with_parent(ctx)


def _die_with_parent(ctx: InitContext) -> None:
    """Be killed when the parent ends; one that has ended already left nobody who reads of our failure."""
    process.prctl(process.PR_SET_PDEATHSIG, 9)
    poll = select.poll()
    poll.register(ctx.error_fd, 0)
    if poll.poll(0):
        os._exit(1)


def _set_groups(ctx: InitContext) -> None:
    """Set the supplementary groups; where that is forbidden, none can be asked for.

    A user namespace that an ordinary user mapped forbids it (user_namespaces(7), "setgroups").
    """
    try:
        os.setgroups(ctx.groups)
    except PermissionError:
        if (ctx.userns_fd < 0 and ctx.outer_uid < 0) or set(ctx.groups) - {ctx.gid}:
            raise


def umask(_ctx: InitContext, op: ops.Umask) -> None:
    """Set the file mode creation mask."""
    os.umask(op.value)


def _give_stream(number: int, uid: int) -> None:
    """Let the user open its own standard streams again by /dev/stdout; the null device stays root's."""
    try:
        status = os.fstat(number)
        if status.st_uid != uid and not (stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)):
            os.fchown(number, uid, -1)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EROFS, errno.EINVAL):
            raise
