"""Init: the process that executes a launch plan and becomes the container's.

It knows nothing of containers. It executes operations in order; the first that fails is reported through the error
descriptor, whose end of file without a word means that the exec succeeded.

Between here and the exec nothing may be imported: once the root has changed, the image would supply the code (law 2).
Everything these modules need is imported by the zygote.
"""

from __future__ import annotations

import os
import sys

from windlass.base import cold_json
from windlass.launch import (
    init_console,
    init_exec,
    init_hooks,
    init_labels,
    init_mounts,
    init_nodes,
    init_protection,
    init_reaper,
    init_root,
    init_scheduling,
)
from windlass.launch import init_namespaces as n
from windlass.launch import init_process as p
from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import signals
from windlass.linux.process import set_dumpable
from windlass.spec import plan as ops
from windlass.spec import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CHANGED_SIGNALS = (
    signals.SIGPIPE,
    signals.SIGXFSZ,
    signals.SIGINT,
    signals.SIGCHLD,
    signals.SIGTERM,
    signals.SIGHUP,
)

_HANDLERS: dict[type[ops.Op], Callable[[InitContext, Any], None]] = {
    ops.Unshare: n.unshare,
    ops.SetNs: n.set_ns,
    ops.JoinTarget: n.join_target,
    ops.UserNs: n.user_ns,
    ops.EnterUserNs: n.enter_user_ns,
    ops.TimeOffsets: n.time_offsets,
    ops.Fork: n.fork,
    ops.LoopbackUp: n.loopback_up,
    ops.Hostname: n.hostname,
    ops.Sysctl: n.sysctl,
    ops.Propagation: init_root.propagation,
    ops.OverlayRoot: init_root.overlay_root,
    ops.BindRoot: init_root.bind_root,
    ops.UseRoot: init_root.use_root,
    ops.AttachRoot: init_root.attach_root,
    ops.PivotRoot: init_root.pivot_root,
    ops.MountFs: init_mounts.mount_fs,
    ops.Bind: init_mounts.bind,
    ops.PrepareBinds: init_mounts.prepare_binds,
    ops.Remount: init_mounts.remount,
    ops.DevNode: init_nodes.dev_node,
    ops.Symlink: init_nodes.symlink,
    ops.MakeDir: init_nodes.make_dir,
    ops.Console: init_console.console,
    ops.Mask: init_protection.mask,
    ops.ReadOnlyPaths: init_protection.read_only_paths,
    ops.ReadOnlyRoot: init_protection.read_only_root,
    ops.Rlimits: p.rlimits,
    ops.OomScoreAdj: p.oom_score_adj,
    ops.NewKeyring: p.new_keyring,
    ops.Personality: init_scheduling.personality,
    ops.SchedulerPolicy: init_scheduling.scheduler_policy,
    ops.IoPriority: init_scheduling.io_priority,
    ops.CpuAffinity: init_scheduling.cpu_affinity,
    ops.MemoryPolicy: init_scheduling.memory_policy,
    ops.Umask: p.umask,
    ops.Labels: init_labels.labels,
    ops.ResolveUser: p.resolve_user,
    ops.Chdir: p.chdir,
    ops.RunHooks: init_hooks.run_hooks,
    ops.Sync: init_hooks.sync,
    ops.FindProgram: init_exec.find_program,
    ops.WaitStart: init_hooks.wait_start,
    ops.JoinCgroup: p.join_cgroup,
    ops.Seccomp: p.seccomp,
    ops.NoNewPrivs: p.no_new_privs,
    ops.Credentials: p.credentials,
    ops.BecomeInit: init_reaper.become_init,
    ops.Exec: init_exec.execute,
}


class Failure(struct.Struct, frozen=True):
    """What the error descriptor carries: why, and the exit code that a client reports."""

    message: str
    exit_code: int = 125


def decode_failure(data: bytes) -> Failure:
    """Return what `become` wrote to its error descriptor."""
    told = cold_json.loads(data)
    return Failure(str(told["message"]), int(told["exit_code"]))


def become(ctx: InitContext, error_fd: int) -> None:
    """Interpret `ctx.plan`. Never returns: ends in the exec or in `os._exit` (law 5)."""
    try:
        _lock_imports()
        # Others in the container must not look into an interpreter that has host descriptors (CVE-2019-5736).
        set_dumpable(False)
        os.setsid()
        _default_signals()
        os.umask(0o022)
        ctx.error_fd = error_fd
        failure = _check_preserved(ctx, error_fd) or interpret(ctx)
        told = {"message": failure.message, "exit_code": failure.exit_code}
        os.write(error_fd, cold_json.dumps(told).encode())
    finally:
        os._exit(1)


def _check_preserved(ctx: InitContext, error_fd: int) -> Failure | None:
    """Make sure that what the program is to keep is what its caller gave it, and cannot be a descriptor of ours.

    Before any is opened: a number that is free now would be the next root directory's (CVE-2024-21626).
    """
    program = ctx.plan.ops[-1] if ctx.plan.ops else None
    if not isinstance(program, ops.Exec) or not program.preserve_fds:
        return None
    own = ctx.own_fds() | {error_fd}
    for fd in range(3, 3 + program.preserve_fds):
        try:
            os.fstat(fd)
        except OSError:
            return Failure(f"preserved descriptor {fd} is not open")
        if fd in own:
            return Failure(f"preserved descriptor {fd} is not the caller's")
    return None


def interpret(ctx: InitContext) -> Failure:
    """Execute the operations; returns the failure of the one that failed."""
    steps = ctx.plan.ops
    for number, op in enumerate(steps, 1):
        ctx.step = number
        try:
            _HANDLERS[type(op)](ctx, op)
        except StepFailed as failed:
            return Failure(failed.message, failed.exit_code)
        except OSError as error:
            return Failure(f"{op.describe()}: {reason(error)} (step {number} of {len(steps)})")
        except Exception as error:
            return Failure(f"{op.describe()}: {type(error).__name__}: {error} (step {number} of {len(steps)})")
    return Failure("the plan ended without an exec")


def _lock_imports() -> None:
    """Make every further import fail instead of reading the image."""
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()


def _default_signals() -> None:
    """Undo what Python set: a program expects SIGPIPE and SIGXFSZ to end it, and no signal blocked."""
    for number in _CHANGED_SIGNALS:
        signals.handle(number, signals.SIG_DFL)
    signals.set_blocked(())
