"""Steps that shape the process: namespaces, limits, identity, working directory, and the exec itself."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat

from windlass.launch import users
from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import capabilities, namespaces, process, terminal
from windlass.linux import mount as m
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, openat2
from windlass.linux.loopback import loopback_up as bring_up_loopback
from windlass.spec import plan as ops

_EXIT_NOT_FOUND = 127
_EXIT_NOT_EXECUTABLE = 126


def unshare(_ctx: InitContext, op: ops.Unshare) -> None:
    """New namespaces for this process."""
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
    namespaces.setns(ctx.target_pidfd, op.flags)
    ctx.set_root(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def loopback_up(_ctx: InitContext, _op: ops.LoopbackUp) -> None:
    """Bring up lo."""
    bring_up_loopback()


def hostname(_ctx: InitContext, op: ops.Hostname) -> None:
    """Set the names of the UTS namespace."""
    namespaces.sethostname(op.hostname.encode())
    if op.domainname:
        namespaces.setdomainname(op.domainname.encode())


def console(ctx: InitContext, op: ops.Console) -> None:
    """Make a terminal in the container's own devpts, so that `tty` inside knows its name.

    The slave is opened through its master, never by the path in /dev/pts, and bound by descriptor (CVE-2025-52565).
    """
    master = openat2(
        ctx.root_fd,
        b"dev/pts/ptmx",
        os.O_RDWR | os.O_NOCTTY,
        resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    )
    slave = terminal.open_terminal(master)
    if ctx.rows or ctx.columns:
        terminal.set_window_size(master, ctx.rows, ctx.columns)
    with socket.socket(fileno=os.dup(ctx.terminal_socket)) as sock:
        socket.send_fds(sock, [b"t"], [master])
    os.close(master)
    if op.bind:
        _bind_console(ctx, slave)
    for number in range(3):
        os.dup2(slave, number, inheritable=True)
    if slave > 2:
        os.close(slave)
    terminal.set_controlling_terminal(0)


def _bind_console(ctx: InitContext, slave: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS
    try:
        target = openat2(ctx.root_fd, b"dev/console", os.O_PATH, resolve=resolve)
    except FileNotFoundError:
        os.close(openat2(ctx.root_fd, b"dev/console", flags, mode=0o600, resolve=resolve))
        target = openat2(ctx.root_fd, b"dev/console", os.O_PATH, resolve=resolve)
    try:
        tree = m.open_tree(slave, "", recursive=False)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(tree)
    finally:
        os.close(target)


def sysctl(ctx: InitContext, op: ops.Sysctl) -> None:
    """Write parameters below a /proc/sys that is really procfs: no symbolic link, no mount on top (CVE-2025-52881)."""
    proc = m.fsmount("proc", "proc", [], 0)
    try:
        for key, value in op.values:
            path = b"sys/" + key.replace(".", "/").encode() if "/" not in key else b"sys/" + key.encode()
            try:
                fd = openat2(proc, path, os.O_WRONLY, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)
            except OSError as error:
                raise StepFailed(f"open sysctl {key} file: {reason(error)}") from None
            try:
                os.write(fd, value.encode())
            except OSError as error:
                raise StepFailed(f"write sysctl {key}: {reason(error)}") from None
            finally:
                os.close(fd)
    finally:
        os.close(proc)


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


def wait_start(ctx: InitContext, _op: ops.WaitStart) -> None:
    """Block until a byte comes; an end of file means that nobody will start us."""
    if not os.read(ctx.start_fd, 1):
        raise StepFailed("container was deleted before it was started")


def join_cgroup(ctx: InitContext, op: ops.JoinCgroup) -> None:
    """Enter the cgroups.

    Writing 0 to a v1 `tasks` file moves the calling thread without the global rwsem: 0.1 ms instead of 10 ms for a
    foreign pid in `cgroup.procs` (cgroup_procs_write_start() in kernel/cgroup/cgroup.c).
    """
    for fd in ctx.cgroup_fds:
        os.write(fd, b"0")
    if op.unshare:
        namespaces.unshare(namespaces.CLONE_NEWCGROUP)


def seccomp(_ctx: InitContext, op: ops.Seccomp) -> None:
    """Install the filter."""
    process.install_seccomp(op.program, op.flags)


def no_new_privs(_ctx: InitContext, _op: ops.NoNewPrivs) -> None:
    """Set no_new_privs."""
    process.set_no_new_privs()


def credentials(ctx: InitContext, op: ops.Credentials) -> None:
    """Become the user, with exactly the capabilities of the plan."""
    for number in range(3):
        _give_stream(number, ctx.uid)
    capabilities.drop_bounding(op.bounding)
    process.prctl(process.PR_SET_KEEPCAPS, 1)
    os.setgroups(ctx.groups)
    os.setresgid(ctx.gid, ctx.gid, ctx.gid)
    os.setresuid(ctx.uid, ctx.uid, ctx.uid)
    # Another user than root loses at the exec what is not ambient, and must not have it in the exec's own checks.
    kept = -1 if ctx.uid == 0 else op.ambient
    capabilities.capset(op.effective & kept, op.permitted & kept, op.inheritable)
    process.prctl(process.PR_SET_KEEPCAPS, 0)
    if op.ambient:
        capabilities.set_ambient(op.ambient)
    # A change of credentials clears the parent-death signal: asked for only now. A container must not outlive its
    # supervisor, or nobody would know its end.
    process.prctl(process.PR_SET_PDEATHSIG, 9)


def _give_stream(number: int, uid: int) -> None:
    """Let the user open its own standard streams again by /dev/stdout; the null device stays root's."""
    try:
        status = os.fstat(number)
        if status.st_uid != uid and not (stat.S_ISCHR(status.st_mode) and status.st_rdev == os.makedev(1, 3)):
            os.fchown(number, uid, -1)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EROFS, errno.EINVAL):
            raise


def execute(ctx: InitContext, op: ops.Exec) -> None:
    """Become the program. Returns only by raising."""
    environment: dict[bytes, bytes] = {}
    for entry in op.env:
        key, separator, value = os.fsencode(entry).partition(b"=")
        if separator and key:
            environment[key] = value
    environment.setdefault(b"HOME", os.fsencode(ctx.home))
    name = op.args[0]
    path = _find_program(name, os.fsdecode(environment.get(b"PATH", b"")))
    process.close_on_exec_from(3)
    try:
        os.execve(path, op.args, environment)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise StepFailed(f"exec {path}: no such file or directory", _EXIT_NOT_FOUND) from None
        raise StepFailed(f"exec {path}: {reason(error)}", _EXIT_NOT_EXECUTABLE) from None


def _find_program(name: str, search_path: str) -> str:
    """Find the program as a shell would; the messages are the ones that clients know."""
    if "/" in name:
        try:
            status = os.stat(name)
        except FileNotFoundError:
            raise StepFailed(f'exec: "{name}": stat {name}: no such file or directory', _EXIT_NOT_FOUND) from None
        except OSError as error:
            raise StepFailed(f'exec: "{name}": stat {name}: {reason(error)}', _EXIT_NOT_EXECUTABLE) from None
        if stat.S_ISDIR(status.st_mode):
            raise StepFailed(f'exec: "{name}": is a directory', _EXIT_NOT_EXECUTABLE)
        if not _executable(name):
            raise StepFailed(f'exec: "{name}": permission denied', _EXIT_NOT_EXECUTABLE)
        return name
    denied = False
    for directory in search_path.split(":"):
        candidate = os.path.join(directory or ".", name)
        try:
            if stat.S_ISDIR(os.stat(candidate).st_mode):
                continue
        except OSError:
            continue
        if _executable(candidate):
            return candidate
        denied = True
    if denied:
        raise StepFailed(f'exec: "{name}": permission denied', _EXIT_NOT_EXECUTABLE)
    raise StepFailed(f'exec: "{name}": executable file not found in $PATH', _EXIT_NOT_FOUND)


def _executable(path: str) -> bool:
    return os.access(path, os.X_OK, effective_ids=True)
