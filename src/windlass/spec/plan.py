"""Launch plans: flat lists of operations that init interprets, and nothing else.

A plan is computed by pure functions in `windlass.runtime` and executed by `windlass.launch.init` in the process that
becomes the container's. Every operation says what it is doing in one line (`describe`), so that a failure reads
`mount proc at /proc: EPERM (step 9 of 23)`.

Paths named `target` are inside the new root and are resolved below it by file descriptor; paths named `source` are the
host's. Flags are the kernel's numbers. Nothing here does I/O.
"""

from __future__ import annotations

from windlass.spec import struct
from windlass.spec.plan_namespaces import (
    EnterUserNs,
    Fork,
    Hostname,
    IdRange,
    JoinTarget,
    LoopbackUp,
    SetNs,
    TimeOffsets,
    Unshare,
    UserNs,
)
from windlass.spec.plan_op import (
    Op,
)
from windlass.spec.plan_process import (
    BecomeInit,
    Chdir,
    CpuAffinity,
    Credentials,
    Exec,
    FindProgram,
    HookCommand,
    IoPriority,
    JoinCgroup,
    Labels,
    MemoryPolicy,
    NewKeyring,
    NoNewPrivs,
    OomScoreAdj,
    Personality,
    ResolveUser,
    Rlimits,
    RunHooks,
    SchedulerPolicy,
    Seccomp,
    Sync,
    Sysctl,
    Umask,
    WaitStart,
)
from windlass.spec.plan_root import (
    AttachRoot,
    Bind,
    BindRoot,
    Console,
    DevNode,
    MakeDir,
    Mask,
    MountFs,
    OverlayRoot,
    PivotRoot,
    PrepareBinds,
    Propagation,
    ReadOnlyPaths,
    ReadOnlyRoot,
    Remount,
    Symlink,
    UseRoot,
)

__all__ = [
    "PLAN_VERSION",
    "AnyOp",
    "AttachRoot",
    "BecomeInit",
    "Bind",
    "BindRoot",
    "Chdir",
    "Console",
    "CpuAffinity",
    "Credentials",
    "DevNode",
    "EnterUserNs",
    "Exec",
    "FindProgram",
    "Fork",
    "HookCommand",
    "Hostname",
    "IdRange",
    "IoPriority",
    "JoinCgroup",
    "JoinTarget",
    "Labels",
    "LaunchPlan",
    "LoopbackUp",
    "MakeDir",
    "Mask",
    "MemoryPolicy",
    "MountFs",
    "NewKeyring",
    "NoNewPrivs",
    "OomScoreAdj",
    "Op",
    "OverlayRoot",
    "Personality",
    "PivotRoot",
    "PrepareBinds",
    "Propagation",
    "ReadOnlyPaths",
    "ReadOnlyRoot",
    "Remount",
    "ResolveUser",
    "Rlimits",
    "RunHooks",
    "SchedulerPolicy",
    "Seccomp",
    "SetNs",
    "Symlink",
    "Sync",
    "Sysctl",
    "TimeOffsets",
    "Umask",
    "Unshare",
    "UseRoot",
    "UserNs",
    "WaitStart",
]

PLAN_VERSION = 1

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
