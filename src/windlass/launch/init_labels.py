"""The step that asks for security labels.

The order to change at the exec is a file in procfs: written to an image's imitation, or into a mount over it, it would
be lost without a word (CVE-2019-16884, CVE-2023-28642, CVE-2025-52881).

Source: apparmor(7), aa_change_onexec(2); SELinux, setexeccon(3).
"""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import mount as m
from windlass.linux.fs import RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV, is_procfs, openat2
from windlass.spec import plan as ops

_WITHIN = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV


def labels(_ctx: InitContext, op: ops.Labels) -> None:
    """Write both orders; a host without the module refuses."""
    proc = _verified_proc()
    try:
        if op.apparmor:
            order = f"exec {op.apparmor}".encode()
            _write(proc, (b"self/attr/apparmor/exec", b"self/attr/exec"), order, "AppArmor profile", op.apparmor)
        if op.selinux:
            _write(proc, (b"self/attr/exec",), op.selinux.encode(), "SELinux label", op.selinux)
    finally:
        os.close(proc)


def _verified_proc() -> int:
    """Return a procfs that nobody has mounted on: a new one, or where that is denied, /proc after a look at it."""
    try:
        return m.fsmount("proc", "proc", [], 0)
    except PermissionError:
        pass
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not is_procfs(proc):
        os.close(proc)
        raise StepFailed("/proc is not a procfs")
    return proc


def _write(proc: int, paths: tuple[bytes, ...], order: bytes, what: str, label: str) -> None:
    """Write to the first of `paths` that the kernel has: older ones have only the file that all modules share."""
    fd = -1
    for path in paths:
        try:
            fd = openat2(proc, path, os.O_WRONLY, resolve=_WITHIN)
            break
        except FileNotFoundError:
            continue
    try:
        if fd < 0:
            raise StepFailed(f"{what} {label} cannot be set: the kernel has no security labels")
        os.write(fd, order)
    except OSError as error:
        raise StepFailed(f"set {what} {label}: {reason(error)}") from None
    finally:
        if fd >= 0:
            os.close(fd)
