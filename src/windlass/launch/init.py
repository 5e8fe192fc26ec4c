"""Init: the process that executes a launch plan and becomes the container's.

It knows nothing of containers. It executes operations in order; the first that fails is reported through the error
descriptor, whose end of file without a word means that the exec succeeded.

Between here and the exec nothing may be imported: once the root has changed, the image would supply the code (law 2).
Everything these modules need is imported by the zygote.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from windlass.launch import init_process as p
from windlass.launch import init_root as r
from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux.process import set_dumpable
from windlass.spec import plan as ops

_HANDLERS: dict[type[ops.Op], Callable[[InitContext, Any], None]] = {
    ops.Unshare: p.unshare,
    ops.SetNs: p.set_ns,
    ops.JoinTarget: p.join_target,
    ops.LoopbackUp: p.loopback_up,
    ops.Hostname: p.hostname,
    ops.Propagation: r.propagation,
    ops.OverlayRoot: r.overlay_root,
    ops.BindRoot: r.bind_root,
    ops.MountFs: r.mount_fs,
    ops.Bind: r.bind,
    ops.DevNode: r.dev_node,
    ops.Symlink: r.symlink,
    ops.MakeDir: r.make_dir,
    ops.Console: p.console,
    ops.PivotRoot: r.pivot_root,
    ops.Mask: r.mask,
    ops.ReadOnlyPaths: r.read_only_paths,
    ops.ReadOnlyRoot: r.read_only_root,
    ops.Sysctl: p.sysctl,
    ops.Rlimits: p.rlimits,
    ops.OomScoreAdj: p.oom_score_adj,
    ops.NewKeyring: p.new_keyring,
    ops.ResolveUser: p.resolve_user,
    ops.Chdir: p.chdir,
    ops.WaitStart: p.wait_start,
    ops.JoinCgroup: p.join_cgroup,
    ops.Seccomp: p.seccomp,
    ops.NoNewPrivs: p.no_new_privs,
    ops.Credentials: p.credentials,
    ops.Exec: p.execute,
}


class Failure(msgspec.Struct, frozen=True):
    """What the error descriptor carries: why, and the exit code that a client reports."""

    message: str
    exit_code: int = 125


failure_decoder = msgspec.json.Decoder(Failure)
_encode_failure = msgspec.json.Encoder().encode


def become(ctx: InitContext, error_fd: int) -> None:
    """Interpret `ctx.plan`. Never returns: ends in the exec or in `os._exit` (law 5)."""
    try:
        _lock_imports()
        # Others in the container must not look into an interpreter that has host descriptors (CVE-2019-5736).
        set_dumpable(False)
        os.setsid()
        _default_signals()
        os.umask(0o022)
        failure = interpret(ctx)
        os.write(error_fd, _encode_failure(failure))
    finally:
        os._exit(1)


def interpret(ctx: InitContext) -> Failure:
    """Execute the operations; returns the failure of the one that failed."""
    steps = ctx.plan.ops
    for number, op in enumerate(steps, 1):
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
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
