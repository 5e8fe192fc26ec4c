"""The cell in which one peer lives: namespaces of its own that take everything of it along when they end.

A killed engine leaves mounts, bridges, firewall rules and shims behind. Inside a cell none of these can outlive its
first process: the pid namespace ends every process in it, the mount namespace every mount, the network namespace every
link and rule. What a peer writes below `/run`, `/etc` and `/var/lib` goes to memory; its control groups lie below one
parent, which `close` removes.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from glob import glob

# These are not the host's inside a cell, so that neither a peer's data nor its sockets can lie below them.
HIDDEN = ("/run", "/etc", "/var/lib")

# `/run` starts empty, so that no peer finds a service manager of the host. A `/etc/resolv.conf` may point into it.
# SIGCHLD stays ignored across the last exec: the kernel then reaps the orphans that the first process of a pid
# namespace is given.
_FURNISH = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
for place in /etc /var/lib; do
    mkdir -p /run/bench$place/upper /run/bench$place/work
    mount -t overlay -o lowerdir=$place,upperdir=/run/bench$place/upper,workdir=/run/bench$place/work overlay $place
done
rm -f /etc/resolv.conf
echo nameserver 192.0.2.53 > /etc/resolv.conf
ip link set lo up
trap '' CHLD
echo furnished
exec sleep infinity
"""
_NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")
_TOOLS = ("setpriv", "unshare", "nsenter", "ip", "mount")
_NS_GET_PARENT = 0xB702  # Source: ioctl_ns(2)
_END_TIMEOUT_S = 60.0


class CellError(Exception):
    """A cell could not be made, or did not end; the text says what is left."""


class Cell:
    """Namespaces held open by a process that sleeps. Ends with `close`, and also when this process is killed."""

    def __init__(self, name: str) -> None:
        """Make the namespaces. Raises `CellError` when the host does not let us."""
        self.cgroup = f"wlbench-{os.getpid()}-{name}"
        # The death of the benchmark kills `unshare`, and the death of that kills the first process inside.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", *_NAMESPACES, "--", "sh", "-c", _FURNISH]
        self._outer = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._outer.stdout is not None
        if self._outer.stdout.readline() != b"furnished\n":
            self._outer.kill()
            said = self._outer.communicate()[1].decode(errors="replace").strip()
            raise CellError(f"cannot make namespaces for {name}: {said}")
        self._first = _only_child(self._outer.pid)
        self._namespace = os.stat(f"/proc/{self._first}/ns/pid").st_ino

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs `argv` in the cell, as a child of the caller, in directory `/`."""
        return ["nsenter", "-t", str(self._first), "--net", "--mount", "--pid", "--", *argv]

    def engine_pids(self) -> list[int]:
        """Return the processes of the engine: those in the pid namespace of the cell itself."""
        return [pid for pid, depth in self._processes() if depth == 0 and pid != self._first]

    def container_pids(self) -> list[int]:
        """Return the processes of its containers: those in pid namespaces below that of the cell."""
        return [pid for pid, depth in self._processes() if depth > 0]

    def close(self) -> None:
        """End every process of the cell, wait for that, and remove its control groups.

        Raises:
            CellError: processes did not die, or control groups are still busy.
        """
        pidfd = os.pidfd_open(self._first)
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            # The first process of a pid namespace ends after all others in it.  Source: pid_namespaces(7)
            if not poller.poll(_END_TIMEOUT_S * 1000):
                raise CellError(f"processes of {self.cgroup} do not end")
        finally:
            os.close(pidfd)
            self._outer.kill()
            self._outer.communicate()
        _remove_cgroups(self.cgroup)

    def _processes(self) -> Iterator[tuple[int, int]]:
        """Yield every process of the cell with the depth of its pid namespace below the cell's."""
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    depth = _depth_below(f"/proc/{name}/ns/pid", self._namespace)
                except (FileNotFoundError, ProcessLookupError, PermissionError):
                    # Gone meanwhile; or guarded from root by what confines root itself, so none of a cell's.
                    continue
                if depth is not None:
                    yield int(name), depth


def missing_tools() -> list[str]:
    """Return the programs that a cell needs and that are not on the path."""
    places = os.get_exec_path()
    return [tool for tool in _TOOLS if not any(os.access(os.path.join(place, tool), os.X_OK) for place in places)]


def _only_child(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        (child,) = file.read().split()
    return int(child)


def _depth_below(path: str, ancestor: int) -> int | None:
    """Return how many pid namespaces that at `path` lies below `ancestor`, an inode; None when it does not.

    Source: ioctl_ns(2), NS_GET_PARENT: EPERM where the parent is outside the caller's own namespace.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for depth in range(32):
            if os.fstat(fd).st_ino == ancestor:
                return depth
            try:
                parent = fcntl.ioctl(fd, _NS_GET_PARENT)
            except PermissionError:
                return None
            os.close(fd)
            fd = parent
    finally:
        os.close(fd)
    return None


def _remove_cgroups(name: str) -> None:
    """Remove the control group `name` and all below it in every hierarchy.

    The exit of a process leaves its group a moment after the process itself is gone.
    """
    roots = [*glob(f"/sys/fs/cgroup/{name}"), *glob(f"/sys/fs/cgroup/*/{name}")]
    deadline = time.monotonic() + _END_TIMEOUT_S
    for root in roots:
        while os.path.isdir(root):
            for place, _, _ in os.walk(root, topdown=False):
                try:
                    os.rmdir(place)
                except OSError as error:
                    if time.monotonic() > deadline:
                        raise CellError(f"control group {place} stays: {error.strerror}") from error
            time.sleep(0.01)
