"""Mounts: the classic calls and the descriptor-based ones.

Detached mounts (`fsmount`, `open_tree`) are attached to descriptors that were resolved inside a root, so that no
path is looked up twice.

Source: mount(2), fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2) (Linux 5.12).
"""

from __future__ import annotations

import errno
import os

from windlass.linux._libc import (
    SYS_FSCONFIG,
    SYS_FSMOUNT,
    SYS_FSOPEN,
    SYS_FSPICK,
    SYS_MOUNT_SETATTR,
    SYS_MOVE_MOUNT,
    SYS_OPEN_TREE,
    SYS_PIVOT_ROOT,
    check,
    libc,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
else:
    from windlass.linux import native as ctypes

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20

MNT_DETACH = 2

# fsconfig(2) takes no longer string.
FSCONFIG_STRING_MAX = 256

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
MOUNT_ATTR__ATIME = 0x70
MOUNT_ATTR_RELATIME = 0x0
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_IDMAP = 0x100000
MOUNT_ATTR_NOSYMFOLLOW = 0x200000

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_RECURSIVE = 0x8000
AT_EMPTY_PATH = 0x1000
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOVE_MOUNT_T_EMPTY_PATH = 0x40

_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSCONFIG_SET_FLAG = 0
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6
_FSCONFIG_CMD_RECONFIGURE = 7
_FSPICK_CLOEXEC = 1
_FSPICK_EMPTY_PATH = 8


class _MountAttr(ctypes.Structure):
    """struct mount_attr of linux/mount.h."""

    _fields_ = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


def mount(source: str | None, target: str, fstype: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    check(
        libc.mount(
            source.encode() if source is not None else None,
            os.fsencode(target),
            fstype.encode() if fstype is not None else None,
            ctypes.c_ulong(flags),
            os.fsencode(data) if data is not None else None,
        ),
        f"mount {fstype or ''}".rstrip(),
        target,
    )


def umount2(target: str, flags: int) -> None:
    """umount2(2)."""
    check(libc.umount2(os.fsencode(target), flags), "umount", target)


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2)."""
    check(libc.syscall(SYS_PIVOT_ROOT, os.fsencode(new_root), os.fsencode(put_old)), "pivot_root", new_root)


def open_tree(dir_fd: int, path: str, *, recursive: bool) -> int:
    """Clone the mount at `path` (empty: at `dir_fd` itself) as a detached tree; returns its descriptor."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
    if recursive:
        flags |= AT_RECURSIVE
    if not path:
        flags |= AT_EMPTY_PATH
    return check(libc.syscall(SYS_OPEN_TREE, dir_fd, os.fsencode(path), flags), "open_tree", path)


def move_mount(mount_fd: int, target_fd: int) -> None:
    """Attach the detached mount `mount_fd` on top of what `target_fd` refers to."""
    flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
    check(libc.syscall(SYS_MOVE_MOUNT, mount_fd, b"", target_fd, b"", flags), "move_mount")


def mount_setattr(
    mount_fd: int,
    *,
    attr_set: int = 0,
    attr_clear: int = 0,
    propagation: int = 0,
    recursive: bool = False,
    userns_fd: int = 0,
) -> None:
    """Change attributes and propagation of the mount that `mount_fd` refers to.

    MOUNT_ATTR_IDMAP needs a detached mount, and shows its ids as the user namespace `userns_fd` maps them.
    """
    attr = _MountAttr(attr_set, attr_clear, propagation, userns_fd)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    check(
        libc.syscall(SYS_MOUNT_SETATTR, mount_fd, b"", flags, ctypes.byref(attr), ctypes.sizeof(attr)),
        "mount_setattr",
    )


def _context_message(context_fd: int) -> str:
    """Read what the file system wrote to its context: why it refused."""
    try:
        return os.read(context_fd, 512).decode(errors="replace").strip()
    except OSError:
        return ""


def _configure(context_fd: int, command: int, key: str | None, value: str | None, fstype: str) -> None:
    rc = libc.syscall(
        SYS_FSCONFIG,
        context_fd,
        command,
        key.encode() if key is not None else None,
        os.fsencode(value) if value is not None else None,
        0,
    )
    if rc != -1:
        return
    number = ctypes.get_errno()
    detail = _context_message(context_fd)
    what = f"fsconfig {fstype} {key or 'create'}"
    raise OSError(number, f"{what}: {detail or os.strerror(number)}")


def fsmount(fstype: str, source: str, options: list[tuple[str, str | None]], attr: int) -> int:
    """Make a new file system instance and return it as a detached mount.

    Raises:
        OSError: with the file system's own words where it has any.
    """
    context = check(libc.syscall(SYS_FSOPEN, fstype.encode(), _FSOPEN_CLOEXEC), f"fsopen {fstype}")
    try:
        if source:
            _configure(context, _FSCONFIG_SET_STRING, "source", source, fstype)
        _set_parameters(context, options, fstype)
        _configure(context, _FSCONFIG_CMD_CREATE, None, None, fstype)
        return check(libc.syscall(SYS_FSMOUNT, context, _FSMOUNT_CLOEXEC, attr), f"fsmount {fstype}")
    finally:
        os.close(context)


def reconfigure(mount_fd: int, options: list[tuple[str, str | None]]) -> None:
    """Change parameters of the file system that `mount_fd` is the root of, for all its mounts.

    Raises:
        OSError: with the file system's own words where it has any.

    Source: fspick(2).
    """
    flags = _FSPICK_CLOEXEC | _FSPICK_EMPTY_PATH
    context = check(libc.syscall(SYS_FSPICK, mount_fd, b"", flags), "fspick")
    try:
        _set_parameters(context, options, "remount")
        _configure(context, _FSCONFIG_CMD_RECONFIGURE, None, None, "remount")
    finally:
        os.close(context)


def _set_parameters(context_fd: int, options: list[tuple[str, str | None]], fstype: str) -> None:
    for key, value in options:
        command = _FSCONFIG_SET_FLAG if value is None else _FSCONFIG_SET_STRING
        _configure(context_fd, command, key, value, fstype)


def supports_detached_mounts() -> bool:
    """Tell whether the kernel has fsopen and mount_setattr (5.12)."""
    rc = libc.syscall(SYS_MOUNT_SETATTR, -1, b"", 0, None, 0)
    return not (rc == -1 and ctypes.get_errno() == errno.ENOSYS)
