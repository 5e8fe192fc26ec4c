"""Confines a process that is about to read a stranger's archive (law 6)."""

from __future__ import annotations

import os
import sys

from windlass.linux import capabilities, process
from windlass.linux.capabilities import CAPABILITY_NUMBERS

# What making files of any owner, mode, kind and capability takes.
_UNPACK = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_MKNOD", "CAP_SETFCAP")
# The kernel asks it of whoever sets a trusted.* xattr.
_TRUSTED_XATTRS = "CAP_SYS_ADMIN"


def confine(root_fd: int, *, trusted_xattrs: bool) -> None:
    """Make `root_fd` this process's root for good, with no more capabilities than unpacking takes.

    Nothing may be imported afterwards: what is not loaded is the layer's to supply, so imports are turned off (law 2).
    Only for a single-threaded process of its own.

    Raises:
        OSError: the kernel refused.
    """
    names = (*_UNPACK, _TRUSTED_XATTRS) if trusted_xattrs else _UNPACK
    keep = sum(1 << CAPABILITY_NUMBERS[name] for name in names)
    # Read from /proc, which is gone after the chroot.
    keep &= capabilities.effective_capabilities()
    os.fchdir(root_fd)
    os.chroot(".")
    os.chdir("/")
    os.umask(0)
    capabilities.drop_bounding(keep)
    capabilities.set_ambient(0)
    capabilities.capset(keep, keep, 0)
    process.set_no_new_privs()
    sys.meta_path.clear()
    sys.path_hooks.clear()
    sys.path.clear()
