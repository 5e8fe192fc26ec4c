"""Launch plans: flat lists of operations that init interprets, and nothing else.

A plan is computed by pure functions in `windlass.runtime` and executed by `windlass.launch.init` in the process that
becomes the container's. Every operation says what it is doing in one line (`describe`), so that a failure reads
`mount proc at /proc: EPERM (step 9 of 23)`.

Paths named `target` are inside the new root and are resolved below it by file descriptor; paths named `source` are the
host's. Flags are the kernel's numbers. Nothing here does I/O.
"""

from __future__ import annotations

from windlass.spec import struct

PLAN_VERSION = 1


class Op(struct.Struct, frozen=True, tag_field="op", tag=str.lower, omit_defaults=True):
    """One step of a plan."""

    def describe(self) -> str:
        """Say in a few words what the step does."""
        return type(self).__name__.lower()


# --- namespaces ---------------------------------------------------------------------------------


class Unshare(Op, frozen=True):
    """Leave the given namespaces for new ones; `flags` are CLONE_NEW* bits, of pid and time only before `Fork`."""

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


class IdRange(struct.Struct, frozen=True, array_like=True):
    """Ids `inside` to `inside + size - 1` of a user namespace are the ids from `outside` on of its parent."""

    inside: int
    outside: int
    size: int


class UserNs(Op, frozen=True):
    """Have a user namespace at hand for `EnterUserNs` and for mounts with `idmap`; nothing is joined yet.

    It is passed descriptor `fd`, or that of `path`, or made with the given mappings (at most 340 lines each;
    user_namespaces(7)). Mappings beside one that exists say what is known of it, and spare asking.
    """

    uid_map: list[IdRange] = []
    gid_map: list[IdRange] = []
    path: str = ""
    fd: int = -1

    def describe(self) -> str:
        return f"make a user namespace of {len(self.uid_map)} ranges" if self.uid_map else "find the user namespace"


class EnterUserNs(Op, frozen=True):
    """Join the user namespace at hand and become its root. What is made from here on belongs to it."""

    def describe(self) -> str:
        return "enter the user namespace"


class TimeOffsets(Op, frozen=True):
    """Set the clocks of the new time namespace, before anybody is in it: (clock, seconds, nanoseconds)."""

    values: list[tuple[str, int, int]]

    def describe(self) -> str:
        return "set time offsets"


class Fork(Op, frozen=True):
    """Go on in a child, which is the first in new pid and time namespaces; the parent reports its pid and ends."""

    def describe(self) -> str:
        return "fork into the new namespaces"


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
    """Mount an overlay at host path `target` and make it the new root; `lower` is top first, relative to `base`.

    With `idmap` every layer is seen through the user namespace at hand, so that one copy on disk serves all mappings.
    With a user namespace at hand the root is attached only after `EnterUserNs`, by `AttachRoot`.
    """

    target: str
    base: str
    lower: list[str]
    upper: str = ""
    work: str = ""
    readonly: bool = False
    data: str = ""
    idmap: bool = False

    def describe(self) -> str:
        return f"mount overlay of {len(self.lower)} layers"


class BindRoot(Op, frozen=True):
    """Make the host directory `source` the new root (bundles, and images of no layer); `idmap` as for an overlay."""

    source: str
    readonly: bool = False
    idmap: bool = False

    def describe(self) -> str:
        return f"bind root {self.source}"


class UseRoot(Op, frozen=True):
    """Use the directory `path` of a joined mount namespace as the root, without a mount of its own."""

    path: str

    def describe(self) -> str:
        return f"use root {self.path}"


class AttachRoot(Op, frozen=True):
    """Attach the detached root at host path `target`, in the present mount namespace."""

    target: str

    def describe(self) -> str:
        return f"attach the root at {self.target}"


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
    propagation: int = 0
    recursive_attr_set: int = 0
    recursive_attr_clear: int = 0

    def describe(self) -> str:
        return f"mount {self.fstype} at {self.target}"


class Bind(Op, frozen=True):
    """Bind the host path `source` (or passed descriptor `fd`) at `target`, made when missing.

    `attr_set` and `attr_clear` are MOUNT_ATTR_* bits of the mount, `recursive_attr_*` those of the whole tree;
    `propagation` is an MS_* propagation flag or 0. `idmap` shows the ids of the source through the user namespace at
    hand, or through one with `uid_map` and `gid_map` when given; its tree is cloned before `EnterUserNs` (see
    `PrepareBinds`).
    """

    source: str
    target: str
    recursive: bool = True
    attr_set: int = 0
    attr_clear: int = 0
    recursive_attr_set: int = 0
    recursive_attr_clear: int = 0
    propagation: int = 0
    fd: int = -1
    optional: bool = False
    idmap: bool = False
    recursive_idmap: bool = False
    uid_map: list[IdRange] = []
    gid_map: list[IdRange] = []

    def describe(self) -> str:
        return f"bind {self.source or f'#{self.fd}'} at {self.target}"


class PrepareBinds(Op, frozen=True):
    """Clone the sources of all later `Bind` ops while still in the host's user namespace, and map their ids.

    Afterwards the host's paths may be out of reach, and mapped mounts can no longer be made.
    """

    def describe(self) -> str:
        return "clone the sources of binds"


class Remount(Op, frozen=True):
    """Change the mount at `target`: MOUNT_ATTR_* bits of the mount, `options` of its file system."""

    target: str
    attr_set: int = 0
    attr_clear: int = 0
    options: list[tuple[str, str | None]] = []

    def describe(self) -> str:
        return f"remount {self.target}"


class DevNode(Op, frozen=True):
    """Make a device node at `target`; `kind` is `c`, `b` or `p`. Inside a user namespace the host's node is bound."""

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
    """Make the new root `/` and forget the old one; `no_pivot` moves the mount and chroots (roots on a ramdisk).

    With `chroot` that is all: the mount namespace was joined, and others go on in it.
    """

    no_pivot: bool = False
    chroot: bool = False

    def describe(self) -> str:
        if self.chroot:
            return "chroot"
        return "move the root" if self.no_pivot else "pivot_root"


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


class Personality(Op, frozen=True):
    """Set the execution domain: PER_* with flags. Source: personality(2)."""

    value: int

    def describe(self) -> str:
        return f"set personality {self.value:#x}"


class SchedulerPolicy(Op, frozen=True):
    """Set policy and attributes of the CPU scheduler; times in nanoseconds. Source: sched_setattr(2)."""

    policy: int
    flags: int = 0
    nice: int = 0
    priority: int = 0
    runtime: int = 0
    deadline: int = 0
    period: int = 0

    def describe(self) -> str:
        return f"set scheduler policy {self.policy}"


class IoPriority(Op, frozen=True):
    """Set the I/O priority: class (1 real time, 2 best effort, 3 idle) and level. Source: ioprio_set(2)."""

    io_class: int
    level: int = 0

    def describe(self) -> str:
        return f"set I/O priority {self.io_class}:{self.level}"


class CpuAffinity(Op, frozen=True):
    """Run on these CPUs only."""

    cpus: list[int]

    def describe(self) -> str:
        return f"set CPU affinity to {len(self.cpus)} CPUs"


class MemoryPolicy(Op, frozen=True):
    """Set the NUMA policy: MPOL_* mode with flags, over `nodes`. Source: set_mempolicy(2)."""

    mode: int
    nodes: list[int] = []

    def describe(self) -> str:
        return f"set memory policy {self.mode:#x}"


class Umask(Op, frozen=True):
    """Set the file mode creation mask of the process."""

    value: int

    def describe(self) -> str:
        return f"set umask {self.value:04o}"


class Labels(Op, frozen=True):
    """Ask for an AppArmor profile or a SELinux context at the exec; empty ones are left alone.

    Written through a procfs that is verified to be one (CVE-2019-16884, CVE-2023-28642).
    """

    apparmor: str = ""
    selinux: str = ""

    def describe(self) -> str:
        return f"set security label {self.apparmor or self.selinux}"


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


class HookCommand(struct.Struct, frozen=True, omit_defaults=True):
    """One hook; `timeout` in seconds, 0 is none. Source: runtime-spec config.md, "POSIX-platform Hooks"."""

    path: str
    args: list[str] = []
    env: list[str] = []
    timeout: int = 0


class RunHooks(Op, frozen=True):
    """Run programs one after the other in the present namespaces, with the container's state on their stdin.

    `state` is JSON but for `"pid"`, which init fills in. The first that fails ends the plan.
    """

    point: str
    hooks: list[HookCommand]
    state: str

    def describe(self) -> str:
        return f"run {len(self.hooks)} {self.point} hooks"


class Sync(Op, frozen=True):
    """Tell whoever launched us that `point` is reached, and wait for the answer (`InitContext.sync_fd`)."""

    point: str

    def describe(self) -> str:
        return f"wait for the runtime at {self.point}"


class FindProgram(Op, frozen=True):
    """Look up the program of `Exec` now: whoever creates a container hears of a missing one, not who starts it."""

    name: str
    path: str = ""

    def describe(self) -> str:
        return f"find {self.name}"


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
    """Install a BPF program (array of `struct sock_filter`) with SECCOMP_FILTER_FLAG_* `flags`.

    With `notify` the listener's descriptor number is reported by a sync message `seccomp`, whose receiver takes a copy
    of it (pidfd_getfd(2)) before it answers.
    """

    program: bytes
    flags: int = 0
    notify: bool = False

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


class BecomeInit(Op, frozen=True):
    """Go on in a child; this process stays as the container's init: it passes signals on, reaps, and ends as the
    child ends (`docker run --init`)."""

    def describe(self) -> str:
        return "become the container's init"


class Exec(Op, frozen=True):
    """Become the container's process. `args[0]` is looked up in PATH of `env` inside the root.

    Descriptors from 3 to `2 + preserve_fds` stay open; all others above 2 are closed.
    """

    args: list[str]
    env: list[str]
    preserve_fds: int = 0

    def describe(self) -> str:
        return f"exec {self.args[0] if self.args else ''}"


AnyOp = (
    Unshare
    | SetNs
    | JoinTarget
    | UserNs
    | EnterUserNs
    | TimeOffsets
    | Fork
    | LoopbackUp
    | Hostname
    | Propagation
    | OverlayRoot
    | BindRoot
    | UseRoot
    | AttachRoot
    | MountFs
    | Bind
    | PrepareBinds
    | Remount
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
    | Personality
    | SchedulerPolicy
    | IoPriority
    | CpuAffinity
    | MemoryPolicy
    | Umask
    | Labels
    | ResolveUser
    | Chdir
    | RunHooks
    | Sync
    | FindProgram
    | WaitStart
    | JoinCgroup
    | Seccomp
    | NoNewPrivs
    | Credentials
    | BecomeInit
    | Exec
)


class LaunchPlan(struct.Struct, frozen=True, omit_defaults=True):
    """What one process does from fork to exec.

    `new_pid_namespace` and `pid_namespace` (a path) are the parent's part: such take effect at fork. A plan
    that enters a user namespace says `Unshare(CLONE_NEWPID)` and `Fork` instead: its pid namespace must belong to it.
    So does one with a new time namespace, which is a child's, too.
    `cgroup_files` are the files to write `0` to at `JoinCgroup`, opened before the root changes.
    """

    ops: list[AnyOp]
    new_pid_namespace: bool = False
    pid_namespace: str = ""
    cgroup_files: list[str] = []
    version: int = PLAN_VERSION
