"""Find out which control group hierarchies a host mounts.

Source: cgroups(7), proc_pid_mountinfo(5).
"""

from __future__ import annotations

from windlass.cgroups import control
from windlass.cgroups.model import CgroupHost

CONTROLLERS = (
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "blkio",
    "pids",
    "net_cls",
    "net_prio",
    "perf_event",
    "hugetlb",
    "rdma",
    "misc",
)


def detect(root: str = "/sys/fs/cgroup", mountinfo: str = "/proc/self/mountinfo") -> CgroupHost:
    """Describe the hierarchies mounted at or below `root`; version 0 when there is none.

    A host is v2 when `root` itself is a cgroup2 mount. With v1 hierarchies, a cgroup2 mount beside them is `unified`.
    """
    controllers: dict[str, str] = {}
    unified = ""
    with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields, _, tail = line.partition(" - ")
            fstype, _, rest = tail.partition(" ")
            if not fstype.startswith("cgroup"):
                continue
            point = _unescape(fields.split(" ")[4])
            if fstype == "cgroup2" and point == root:
                return _unified_host(root)
            if not point.startswith(root + "/"):
                continue
            if fstype == "cgroup2":
                unified = unified or point
            else:
                for name in _hierarchy_names(rest):
                    controllers.setdefault(name, point)
    if not controllers:
        return CgroupHost(version=2 if unified else 0, root=unified or root, controllers=_enabled(unified))
    only_v2 = tuple(name for name in _available(unified) if name not in controllers)
    return CgroupHost(1, root, controllers, hybrid=bool(unified), unified=unified, unified_controllers=only_v2)


def _unified_host(root: str) -> CgroupHost:
    return CgroupHost(version=2, root=root, controllers=_enabled(root), unified=root)


def _enabled(root: str) -> dict[str, str]:
    """Controllers of a v2 tree; `devices` and `freezer` are part of the core there."""
    return dict.fromkeys((*_available(root), "devices", "freezer"), root) if root else {}


def _available(root: str) -> list[str]:
    return control.read(f"{root}/cgroup.controllers").split() if root else []


def _hierarchy_names(rest: str) -> list[str]:
    """Controllers among the super block options of a mountinfo line's tail (`source options`)."""
    options = rest.rstrip("\n").rpartition(" ")[2].split(",")
    return [option for option in options if option in CONTROLLERS or option.startswith("name=")]


def _unescape(text: str) -> str:
    """Undo the octal escapes of mountinfo."""
    if "\\" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape")
    for code in (b"040", b"011", b"012", b"134"):
        raw = raw.replace(b"\\" + code, bytes([int(code, 8)]))
    return raw.decode("utf-8", "surrogateescape")
