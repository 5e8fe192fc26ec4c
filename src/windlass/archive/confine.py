"""Confines a process that is about to read a stranger's archive (law 6)."""

from __future__ import annotations

import os
import sys

from windlass.archive.forbidden_calls import forbidden_calls_program
from windlass.linux import capabilities, mount, process
from windlass.linux.capabilities import CAPABILITY_NUMBERS

# What making files of any owner, mode, kind and capability takes.
_UNPACK = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_MKNOD", "CAP_SETFCAP")
# The kernel asks it of whoever sets a trusted.* xattr.
_TRUSTED_XATTRS = "CAP_SYS_ADMIN"

_INERT = mount.MOUNT_ATTR_NODEV | mount.MOUNT_ATTR_NOEXEC | mount.MOUNT_ATTR_NOSUID


def confine(root_fd: int, *, trusted_xattrs: bool, mounted: bool = False) -> None:
    """Make the directory `root_fd` this process's root for good, with no more power than unpacking takes.

    The descriptor then refers to the directory through a mount of its own, in which devices can be made and not
    opened; unless it is `mounted`: the root of a tree of mounts, which is used as it is. Few capabilities stay, and the
    system calls that lead out of a chroot are forbidden. Nothing may be imported afterwards: what is not loaded is the
    layer's to supply, so imports are turned off (law 2). Only for a single-threaded process of its own; other
    descriptors that it keeps must be no directories.

    Raises:
        OSError: the kernel refused.
    """
    names = (*_UNPACK, _TRUSTED_XATTRS) if trusted_xattrs else _UNPACK
    # Read from /proc, which is gone after the chroot.
    keep = sum(1 << CAPABILITY_NUMBERS[name] for name in names) & capabilities.effective_capabilities()
    _enter(root_fd, mounted=mounted)
    os.umask(0)
    capabilities.drop_bounding(keep)
    capabilities.set_ambient(0)
    capabilities.capset(keep, keep, 0)
    process.set_no_new_privs()
    program = forbidden_calls_program()
    if program is not None:
        process.install_seccomp(program)
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()


def _enter(root_fd: int, *, mounted: bool) -> None:
    if mount.supports_detached_mounts() and not mounted:
        # Attached nowhere: nobody sees it, and it goes with the process.
        detached = mount.open_tree(root_fd, "", recursive=False)
        mount.mount_setattr(detached, attr_set=_INERT)
        os.fchdir(detached)
    else:
        os.fchdir(root_fd)
    os.chroot(".")
    inside = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    # The descriptor that leads to the directory by the host's mount goes.
    os.dup2(inside, root_fd, inheritable=False)
    os.close(inside)
