"""Ending and counting the processes of control group directories.

A pid read from `cgroup.procs` may be another process's a moment later. Signals therefore go through a pidfd that was
opened first and looked at again: still listed means still ours.
"""

from __future__ import annotations

import errno
import os
import time

from windlass.cgroups import control
from windlass.cgroups.model import CgroupError

_REMOVE_TIMEOUT_S = 5.0
_KILL_ROUNDS = 64
_PAUSE_S = 0.001
_ADD_ROUNDS = 5
_ADD_PAUSE_S = 0.03


def list_processes(directory: str) -> list[int]:
    """Host pids in `directory` and the groups below; 0 (a process that we cannot see) is left out."""
    pids: set[int] = set()
    for group in control.walk(directory):
        pids.update(int(pid) for pid in control.read(os.path.join(group, "cgroup.procs")).split())
    return sorted(pids - {0})


def add_process(directory: str, pid: int) -> None:
    """Move a process with all its threads into one group.

    Raises:
        CgroupError: there is no such process, or the kernel refused.
    """
    for left in reversed(range(_ADD_ROUNDS)):
        try:
            control.write(f"{directory}/cgroup.procs", str(pid))
            return
        except CgroupError as error:
            # A process that is just being born (TASK_NEW) cannot be moved yet.
            if error.errno != errno.EINVAL or not left:
                raise
        time.sleep(_ADD_PAUSE_S)


def refuse_if_used(directory: str) -> None:
    """Check that nobody is in a group that is about to be made anew.

    Raises:
        CgroupError: in runc's words.
    """
    if pids := list_processes(directory):
        raise CgroupError(f"container's cgroup {directory} is not empty: {len(pids)} process(es) found", directory)


def kill_listed(directory: str) -> int:
    """Send SIGKILL to every process listed now; returns how many were listed."""
    handles = _open_pidfds(list_processes(directory))
    try:
        still_listed = set(list_processes(directory))
        for pid, pidfd in handles.items():
            if pid in still_listed:
                _signal(pidfd)
    finally:
        for pidfd in handles.values():
            os.close(pidfd)
    return len(handles)


def kill_until_empty(directory: str) -> None:
    """Kill round after round, for processes that fork while we kill.

    Raises:
        CgroupError: new processes keep appearing.
    """
    for _ in range(_KILL_ROUNDS):
        if not kill_listed(directory):
            return
        _wait_for_exit(directory, 0.1)
    raise CgroupError(f"processes of {directory} fork faster than they can be killed")


def remove_tree(directory: str) -> None:
    """Remove a group and the groups below it, waiting for processes that are about to end.

    Raises:
        CgroupError: processes are still there after five seconds.
    """
    deadline = time.monotonic() + _REMOVE_TIMEOUT_S
    for group in control.walk(directory):
        while not _try_rmdir(group):
            left = deadline - time.monotonic()
            if left <= 0:
                pids = list_processes(group)
                raise CgroupError(f"failed to remove {group}: device or resource busy (processes: {pids})")
            _wait_for_exit(group, left)


def _try_rmdir(group: str) -> bool:
    try:
        os.rmdir(group)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True


def _wait_for_exit(group: str, timeout_s: float) -> None:
    """Wait until one of the group's processes ends; with none listed, the kernel is still cleaning up."""
    import select

    handles = _open_pidfds(list_processes(group))
    if not handles:
        time.sleep(_PAUSE_S)
        return
    try:
        poller = select.poll()
        for pidfd in handles.values():
            poller.register(pidfd, select.POLLIN)
        poller.poll(timeout_s * 1000)
    finally:
        for pidfd in handles.values():
            os.close(pidfd)


def _open_pidfds(pids: list[int]) -> dict[int, int]:
    handles = {}
    for pid in pids:
        try:
            handles[pid] = os.pidfd_open(pid)
        except OSError:
            continue
    return handles


def _signal(pidfd: int) -> None:
    import signal

    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass
