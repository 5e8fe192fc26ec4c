"""What tests may leave behind on a host, and whose it is.

Other programs share the machine, other runs of these tests among them. So a thing counts only if it is new and bears a
name of ours, and a process only if it descends from this run or holds files below the run's temporary directory.
"""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from windlass.netlink import nft_read
from windlass.netlink.connection import NETLINK_NETFILTER, Connection

# Names that tests give to what is on the host; that of this run's process is in those of engines.
OUR_BRIDGE = f"wltest{os.getpid() % 10000}"
OUR_ENGINE = f"-{os.getpid()}-"
OUR_CGROUPS = "windlass-tests"
_VETH_PREFIX = "wl"
# Parts of an engine that outlive a test where a fixture shares the engine among several.
SHARED_PROCESSES = ("windlassd", "windlass-zygote")
SETTLE_S = 10.0

_CGROUP_ROOT = "/sys/fs/cgroup"
_CGROUP_DEPTH = 4
_CONTAINER_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class HostState:
    """Everything of ours that stands on the host at one moment, each as a line that says what it is."""

    mounts: frozenset[str]
    namespaces: frozenset[str]
    links: frozenset[str]
    tables: frozenset[str]
    cgroups: frozenset[str]
    pids: frozenset[int]

    @classmethod
    def read(cls, directory: Path) -> HostState:
        """Look around; `directory` is the temporary directory of this run."""
        return cls(
            frozenset(_mounts(directory)),
            frozenset(f"named network namespace {name}" for name in _listing("/run/netns")),
            frozenset(f"link {name}" for name in _listing("/sys/class/net") if _is_our_link(name)),
            frozenset(f"nftables table {name}" for name in _tables() if OUR_ENGINE in name),
            frozenset(_cgroups()),
            frozenset(_pids()),
        )


def leaks(before: HostState, directory: Path, *, shared_engine: bool) -> list[str]:
    """Return what is new since `before`, waiting for it to go away for at most SETTLE_S.

    With `shared_engine`, what an engine sets up once for all its containers does not count.
    """
    deadline = time.monotonic() + SETTLE_S
    while True:
        found = _new(before, HostState.read(directory), directory, shared_engine)
        if not found or time.monotonic() > deadline:
            return found
        # The kernel takes network namespaces and their links down in its own time, and tells nobody.
        time.sleep(0.05)


def _new(before: HostState, now: HostState, directory: Path, shared_engine: bool) -> list[str]:
    found = now.mounts - before.mounts | now.namespaces - before.namespaces
    links, cgroups = now.links - before.links, now.cgroups - before.cgroups
    if shared_engine:
        links = {link for link in links if not link.startswith(f"link {OUR_BRIDGE}")}
        cgroups = {path for path in cgroups if len(os.path.basename(path)) == _CONTAINER_ID_LENGTH}
    else:
        found |= now.tables - before.tables
    found |= links | cgroups
    for pid in now.pids - before.pids:
        description = _our_process(pid, directory)
        if description and not (shared_engine and description.startswith(SHARED_PROCESSES)):
            found |= {f"process {pid}: {description}"}
    return sorted(found)


def _mounts(directory: Path) -> Iterator[str]:
    for line in _text("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        if str(directory) in line or right.startswith("nsfs "):
            yield f"mount {left.split(' ')[4]} ({right})"


def _is_our_link(name: str) -> bool:
    """A bridge of this run, or a container's interface on one; also an interface that is on none any more."""
    if name.startswith(OUR_BRIDGE):
        return True
    if not name.startswith(_VETH_PREFIX) or os.path.isdir(f"/sys/class/net/{name}/bridge"):
        return False
    try:
        return os.path.basename(os.readlink(f"/sys/class/net/{name}/master")).startswith(OUR_BRIDGE)
    except OSError:
        return True


def _tables() -> list[str]:
    try:
        with Connection.open(NETLINK_NETFILTER) as connection:
            return nft_read.tables(connection)
    except OSError:
        return []


def _cgroups() -> Iterator[str]:
    for depth in range(1, _CGROUP_DEPTH + 1):
        for path in glob.glob("/".join([_CGROUP_ROOT, *["*"] * depth, ""])):
            if OUR_ENGINE in path or _is_our_group(path):
                yield f"cgroup {path.rstrip('/')}"


def _is_our_group(path: str) -> bool:
    """A group of the tests', unless another run's process is in its name."""
    if OUR_CGROUPS not in path:
        return False
    pid = path.partition(f"{OUR_CGROUPS}-")[2].partition("/")[0].partition("-")[0]
    return not pid.isdecimal() or int(pid) == os.getpid()


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _our_process(pid: int, directory: Path) -> str | None:
    """Return the name and command line of a live process of this run, or None."""
    place = f"/proc/{pid}"
    try:
        name, state = _text(f"{place}/comm").strip(), _text(f"{place}/stat").rpartition(")")[2].split()[0]
        if state == "Z" or not (_descends_from_us(pid) or _holds(place, str(directory))):
            return None
        return f"{name} ({_text(f'{place}/cmdline').replace(chr(0), ' ').strip()[:200]})"
    except OSError:  # it ended while we looked
        return None


def _descends_from_us(pid: int) -> bool:
    while pid > 1:
        pid = int(_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
        if pid == os.getpid():
            return True
    return False


def _holds(place: str, directory: str) -> bool:
    if directory in _text(f"{place}/cmdline"):
        return True
    isolated = os.readlink(f"{place}/ns/mnt") != os.readlink("/proc/self/ns/mnt")
    if isolated and directory in _text(f"{place}/mountinfo"):
        return True
    return any(directory in os.readlink(f"{place}/fd/{number}") for number in os.listdir(f"{place}/fd"))


def _listing(path: str) -> list[str]:
    return os.listdir(path) if os.path.isdir(path) else []


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
