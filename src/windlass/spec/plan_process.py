"""Operations that shape the process: limits, identity, hooks, the exec itself."""

from __future__ import annotations

from windlass.spec import struct
from windlass.spec.plan_op import Op


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
