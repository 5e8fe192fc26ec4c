"""Serve the host's root to a machine: read only, from a mount namespace of its own, until the machine ends.

`python -m tools.machine.share VIRTIOFSD SOCKET DIRECTORY`; a process of its own for the namespace that it makes.
"""

from __future__ import annotations

import os
import signal
import sys

from windlass.linux import mount
from windlass.linux.namespaces import CLONE_NEWNS, unshare
from windlass.linux.process import prctl

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Be killed when the parent is, whatever it is that ends it: nobody else would."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(virtiofsd: str, socket: str, directory: str) -> None:
    """Clone the tree of mounts at `directory`, lock it against writing, and become virtiofsd."""
    die_with_parent()
    unshare(CLONE_NEWNS)
    mount.mount(None, "/", None, mount.MS_REC | mount.MS_PRIVATE)
    tree = mount.open_tree(mount.AT_FDCWD, "/", recursive=True)
    mount.mount_setattr(tree, attr_set=mount.MOUNT_ATTR_RDONLY, recursive=True)
    target = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    mount.move_mount(tree, target)
    options = f"source={directory},cache=always,no_posix_lock,no_flock"
    os.execv(virtiofsd, [virtiofsd, f"--socket-path={socket}", "-o", options, "-f"])


if __name__ == "__main__":
    main(*sys.argv[1:])
