"""Probes of control groups, of the disk and of the programs and libraries that Windlass uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from windlass.host.check import Absent, Limited
from windlass.linux.library import require_library

DEFAULT_DATA_ROOT = "/var/lib/windlass"
LOW_SPACE_BYTES = 1 << 30

# An overlay upper directory needs extended attributes, d_type and whiteout devices; these do not give all of them.
_UNFIT_FILE_SYSTEMS = {"overlay", "nfs", "nfs4", "cifs", "vfat", "exfat", "9p", "ecryptfs", "aufs"}


def control_groups() -> str:
    """Control groups are mounted."""
    version1, version2 = _cgroup_controllers()
    if version1:
        return f"version 1 ({' '.join(sorted(version1))})" + ("; version 2 beside it" if version2 is not None else "")
    if version2 is None:
        raise Absent("no cgroup file system is mounted")
    return f"version 2 ({' '.join(sorted(version2))})"


def controller(name: str) -> Callable[[], str]:
    """Return a probe for the controller `name`, in the spelling of version 2 ("io" is "blkio" in version 1)."""

    def probe() -> str:
        version1, version2 = _cgroup_controllers()
        if version1:
            if {"io": "blkio"}.get(name, name) not in version1:
                raise Absent("not among the mounted controllers of version 1")
            return "version 1"
        if name not in (version2 or set()):
            raise Absent("not in cgroup.controllers")
        return "version 2"

    return probe


def library(soname: str) -> Callable[[], str]:
    """Return a probe for a shared library of the host."""

    return lambda: require_library(soname)


def program(*names: str) -> Callable[[], str]:
    """Return a probe for any one of these programs."""

    def probe() -> str:
        for name in names:
            path = shutil.which(name)
            if path is not None:
                return path
        raise Absent("not on this host")

    return probe


def disk(data_root: str) -> str:
    """The file system below the data root has room."""
    place = _nearest_existing(data_root)
    status = os.statvfs(place)
    free = status.f_bavail * status.f_frsize
    if free < LOW_SPACE_BYTES:
        raise Limited(f"{free >> 20} MiB free at {place}")
    return f"{free >> 30} GiB free at {place}"


def file_system(data_root: str) -> str:
    """The file system below the data root can hold the upper layer of an overlay."""
    place = _nearest_existing(data_root)
    best, kind = "", "unknown"
    for fields, rest in _mounts():
        point = fields[4]
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, rest[0]
    if kind in _UNFIT_FILE_SYSTEMS:
        raise Absent(f"{kind} at {best}")
    return f"{kind} at {best}"


def _cgroup_controllers() -> tuple[set[str], set[str] | None]:
    """Return the controllers mounted as version 1, and those of version 2 (None where it is not mounted)."""
    version1: set[str] = set()
    version2: set[str] | None = None
    for fields, rest in _mounts():
        if rest[0] == "cgroup":
            version1.update(option for option in rest[2].split(",") if option != "rw" and "=" not in option)
        elif rest[0] == "cgroup2":
            with open(os.path.join(fields[4], "cgroup.controllers"), encoding="ascii") as file:
                version2 = set(file.read().split())
    return version1 - {"ro", "xattr", "noprefix", "clone_children"}, version2


def _mounts() -> list[tuple[list[str], list[str]]]:
    """Return the lines of mountinfo, each as the fields before and after its `-`.  Source: proc_pid_mountinfo(5)."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        halves = [line.rstrip("\n").partition(" - ") for line in file]
    return [(left.split(" "), right.split(" ")) for left, _, right in halves]


def _nearest_existing(path: str) -> str:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.path.realpath(path)
