"""Launch plans: flat lists of operations that init interprets, and nothing else.

A plan is computed by pure functions in `windlass.runtime` and executed by `windlass.launch.init` in the process that
becomes the container's. Every operation says what it is doing in one line (`describe`), so that a failure reads
`mount proc at /proc: EPERM (step 9 of 23)`.

Paths named `target` are inside the new root and are resolved below it by file descriptor; paths named `source` are the
host's. Flags are the kernel's numbers. Nothing here does I/O.
"""

from __future__ import annotations

import msgspec

PLAN_VERSION = 1


class Op(msgspec.Struct, frozen=True, tag_field="op", tag=str.lower, omit_defaults=True):
    """One step of a plan."""

    def describe(self) -> str:
        """Say in a few words what the step does."""
        return type(self).__name__.lower()


# --- namespaces ---------------------------------------------------------------------------------


class Unshare(Op, frozen=True):
    """Leave the given namespaces for new ones; `flags` are CLONE_NEW* bits (never CLONE_NEWPID)."""

    flags: int

    def describe(self) -> str:
        return f"unshare namespaces {self.flags:#x}"


class SetNs(Op, frozen=True):
    """Join one namespace, given as a path or as the index of a descriptor passed with the plan."""

    nstype: int
    path: str = ""
    fd: int = -1

    def describe(self) -> str:
        return f"join namespace {self.path or f'#{self.fd}'}"


class JoinTarget(Op, frozen=True):
    """Join the namespaces of the supervised container's init, by its pidfd (`exec`)."""

    flags: int

    def describe(self) -> str:
        return "join the container's namespaces"


class LoopbackUp(Op, frozen=True):
    """Bring up `lo` in the current network namespace."""

    def describe(self) -> str:
        return "bring up lo"


class Hostname(Op, frozen=True):
    """Set host and domain name of the UTS namespace."""

    hostname: str
    domainname: str = ""

    def describe(self) -> str:
        return f"set host name {self.hostname}"


# --- root file system ---------------------------------------------------------------------------


class Propagation(Op, frozen=True):
    """Set the propagation of the whole mount tree (before the root) or of `target` inside the root.

    With `holder_of`, a host path, it is that of the one mount which the path lies on.
    """

    flags: int
    target: str = ""
    holder_of: str = ""

    def describe(self) -> str:
        return f"set mount propagation of {self.target or self.holder_of or '/'}"


class OverlayRoot(Op, frozen=True):
    """Mount an overlay at host path `target` and make it the new root; `lower` is top first, relative to `base`."""

    target: str
    base: str
    lower: list[str]
    upper: str = ""
    work: str = ""
    readonly: bool = False
    data: str = ""

    def describe(self) -> str:
        return f"mount overlay of {len(self.lower)} layers"


class BindRoot(Op, frozen=True):
    """Make the host directory `source` the new root (bundles, and images of no layer)."""

    source: str
    readonly: bool = False

    def describe(self) -> str:
        return f"bind root {self.source}"


class MountFs(Op, frozen=True):
    """Mount a new file system instance at `target`.

    `attr` are MOUNT_ATTR_* bits, `options` file system parameters (a missing value is a flag). `copy_up` fills a tmpfs
    with what the image has at `target`.
    """

    fstype: str
    target: str
    source: str = ""
    attr: int = 0
    options: list[tuple[str, str | None]] = []
    mode: int = 0o755
    copy_up: bool = False
    optional: bool = False

    def describe(self) -> str:
        return f"mount {self.fstype} at {self.target}"


class Bind(Op, frozen=True):
    """Bind the host path `source` (or passed descriptor `fd`) at `target`, made when missing.

    `attr_set` and `attr_clear` are MOUNT_ATTR_* bits, applied to the whole tree when `recursive_attr`; `propagation` is
    an MS_* propagation flag or 0.
    """

    source: str
    target: str
    recursive: bool = True
    attr_set: int = 0
    attr_clear: int = 0
    recursive_attr: bool = False
    propagation: int = 0
    fd: int = -1
    optional: bool = False

    def describe(self) -> str:
        return f"bind {self.source or f'#{self.fd}'} at {self.target}"


class DevNode(Op, frozen=True):
    """Make a device node at `target`; `kind` is `c`, `b` or `p`."""

    target: str
    kind: str
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0

    def describe(self) -> str:
        return f"make device {self.target}"


class Symlink(Op, frozen=True):
    """Make the symbolic link `target` that points to `content`; one that exists stays."""

    target: str
    content: str

    def describe(self) -> str:
        return f"link {self.target} to {self.content}"


class MakeDir(Op, frozen=True):
    """Make the directory `target` and its parents; one that exists stays."""

    target: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0

    def describe(self) -> str:
        return f"make directory {self.target}"


class Console(Op, frozen=True):
    """Allocate the process's terminal in the devpts of the root, give its master to the supervisor.

    With `bind` (a container's first process), also bind it at /dev/console. Comes after devpts is mounted and before
    PivotRoot; in an exec, after JoinTarget.
    """

    bind: bool = True

    def describe(self) -> str:
        return "allocate a terminal"


class PivotRoot(Op, frozen=True):
    """Make the new root `/` and forget the old one."""

    def describe(self) -> str:
        return "pivot_root"


class Mask(Op, frozen=True):
    """Hide paths: /dev/null over files, an empty read-only tmpfs over directories; missing ones are skipped."""

    targets: list[str]

    def describe(self) -> str:
        return f"mask {len(self.targets)} paths"


class ReadOnlyPaths(Op, frozen=True):
    """Make paths read-only by binding them onto themselves; missing ones are skipped."""

    targets: list[str]

    def describe(self) -> str:
        return f"make {len(self.targets)} paths read-only"


class ReadOnlyRoot(Op, frozen=True):
    """Make the root mount read-only."""

    def describe(self) -> str:
        return "make the root read-only"


# --- the process --------------------------------------------------------------------------------


class Sysctl(Op, frozen=True):
    """Write kernel parameters of the new namespaces: key with dots, value."""

    values: list[tuple[str, str]]

    def describe(self) -> str:
        return f"set {len(self.values)} sysctls"


class Rlimits(Op, frozen=True):
    """Set resource limits: (RLIMIT_* number, soft, hard); -1 is infinity.

    `best_effort` clamps what exceeds the present hard limit when CAP_SYS_RESOURCE is missing.
    """

    values: list[tuple[int, int, int]]
    best_effort: bool = False

    def describe(self) -> str:
        return "set resource limits"


class OomScoreAdj(Op, frozen=True):
    """Write oom_score_adj of the process."""

    value: int

    def describe(self) -> str:
        return f"set oom_score_adj {self.value}"


class NewKeyring(Op, frozen=True):
    """Join a new session keyring, so that the caller's is not shared."""

    name: str

    def describe(self) -> str:
        return "join a session keyring"


class ResolveUser(Op, frozen=True):
    """Resolve `user[:group]` and extra groups in the container's /etc/passwd and /etc/group.

    With `numeric` the values are final: no file is read. Sets HOME in the environment when it is missing.
    """

    user: str = ""
    additional_groups: list[str] = []
    numeric: bool = False

    def describe(self) -> str:
        return f"find user {self.user or 'root'}"


class Chdir(Op, frozen=True):
    """Change to the working directory inside the root, and verify that it is inside (CVE-2024-21626)."""

    path: str
    create: bool = False

    def describe(self) -> str:
        return f"chdir to {self.path}"


class WaitStart(Op, frozen=True):
    """Wait until the start descriptor says go (OCI `create` and `start`)."""

    def describe(self) -> str:
        return "wait for start"


class JoinCgroup(Op, frozen=True):
    """Enter the cgroups whose files the supervisor opened; with `unshare`, make them the cgroup namespace's root.

    Last before the exec, so that the interpreter is never charged to the container.
    """

    unshare: bool = False

    def describe(self) -> str:
        return "join cgroups"


class Seccomp(Op, frozen=True):
    """Install a BPF program (array of `struct sock_filter`) with SECCOMP_FILTER_FLAG_* `flags`."""

    program: bytes
    flags: int = 0

    def describe(self) -> str:
        return f"install seccomp filter of {len(self.program) // 8} instructions"


class NoNewPrivs(Op, frozen=True):
    """Set no_new_privs."""

    def describe(self) -> str:
        return "set no_new_privs"


class Credentials(Op, frozen=True):
    """Change to the resolved user, with exactly these capabilities (bit masks by capability number)."""

    bounding: int
    effective: int
    permitted: int
    inheritable: int = 0
    ambient: int = 0

    def describe(self) -> str:
        return "change user and capabilities"


class Exec(Op, frozen=True):
    """Become the container's process. `args[0]` is looked up in PATH of `env` inside the root."""

    args: list[str]
    env: list[str]

    def describe(self) -> str:
        return f"exec {self.args[0] if self.args else ''}"


AnyOp = (
    Unshare
    | SetNs
    | JoinTarget
    | LoopbackUp
    | Hostname
    | Propagation
    | OverlayRoot
    | BindRoot
    | MountFs
    | Bind
    | DevNode
    | Symlink
    | MakeDir
    | Console
    | PivotRoot
    | Mask
    | ReadOnlyPaths
    | ReadOnlyRoot
    | Sysctl
    | Rlimits
    | OomScoreAdj
    | NewKeyring
    | ResolveUser
    | Chdir
    | WaitStart
    | JoinCgroup
    | Seccomp
    | NoNewPrivs
    | Credentials
    | Exec
)


class LaunchPlan(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process does from fork to exec.

    `new_pid_namespace` and `pid_namespace` (a path) are the supervisor's part: pid namespaces take effect at fork.
    `cgroup_files` are the files to write `0` to at `JoinCgroup`, opened before the root changes.
    """

    ops: list[AnyOp]
    new_pid_namespace: bool = False
    pid_namespace: str = ""
    cgroup_files: list[str] = []
    version: int = PLAN_VERSION
