"""Processes that a supervisor forks for itself, beside the container's: they belong to the host alone."""

from __future__ import annotations

import os

from windlass.linux.namespaces import CLONE_NEWPID, setns

_ALL = 1 << 30


def fork_outside() -> int:
    """Fork a child into our own pid namespace, although the container's processes land in theirs."""
    before = os.open("/proc/self/ns/pid_for_children", os.O_RDONLY | os.O_CLOEXEC)
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(own, CLONE_NEWPID)
        try:
            return os.fork()
        finally:
            # In the child too, which does not fork.
            setns(before, CLONE_NEWPID)
    finally:
        os.close(own)
        os.close(before)


def close_others(*kept: int) -> None:
    """Close every other descriptor: whoever waits for the end of one must not wait for us."""
    first = 0
    for fd in sorted(kept):
        os.closerange(first, fd)
        first = fd + 1
    os.closerange(first, _ALL)
