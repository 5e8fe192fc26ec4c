"""Configurations of the OCI runtime: valid ones, and ones with a mistake at a known place."""

from __future__ import annotations

import copy
from typing import Any

CONFIG: dict[str, Any] = {
    "ociVersion": "1.2.0",
    "process": {"cwd": "/", "args": ["sh"], "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
    "root": {"path": "rootfs"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "network", "ipc", "uts")]},
}
ABSENT = object()


def changed(*changes: tuple[str, Any]) -> dict[str, Any]:
    """The valid configuration with other values at some pointers."""
    config: Any = {"": copy.deepcopy(CONFIG)}
    for pointer, value in changes:
        *way, last = pointer.split("/")
        node: Any = config
        for token, following in zip(way, [*way[1:], last], strict=True):
            if isinstance(node, list):
                node = node[int(token)]
            else:
                node = node.setdefault(token, [] if following.isdecimal() else {})
        if isinstance(node, list):
            node.insert(int(last), value)
        elif value is ABSENT:
            del node[last]
        else:
            node[last] = value
    return config[""]  # type: ignore[no-any-return]


NS = "/linux/namespaces"
USER = (f"{NS}/5", {"type": "user"})
ONE = [{"containerID": 0, "hostID": 1000, "size": 1}]
MAPPED = (USER, ("/linux/uidMappings", ONE), ("/linux/gidMappings", ONE))
TIME = (f"{NS}/5", {"type": "time"})
BIND = {"destination": "/x", "source": "/y", "options": ["rbind"]}
NOTIFY = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}
RULE = {"names": ["mkdir"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
FILTER = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [RULE]}


def mapping(inside: int, outside: int, size: int) -> dict[str, int]:
    return {"containerID": inside, "hostID": outside, "size": size}


def spread(count: int) -> list[dict[str, int]]:
    return [mapping(2 * index, 2 * index, 1) for index in range(count)]


VALID: dict[str, list[tuple[str, Any]]] = {
    "the least": [],
    "older and newer versions": [("/ociVersion", "1.0.2-dev+build.7")],
    "no hostname": [("/linux/namespaces", [{"type": "mount"}])],
    "user namespace": [*MAPPED],
    "as many ranges as the kernel takes": [
        USER,
        ("/linux/uidMappings", spread(340)),
        ("/linux/gidMappings", spread(340)),
    ],
    "the last id": [USER, ("/linux/uidMappings", [mapping(0, 0, 2**32 - 1)]), ("/linux/gidMappings", ONE)],
    "a path and mappings, as pods have": [
        (f"{NS}/5", {"type": "user", "path": "/proc/self/ns/user"}),
        ("/linux/uidMappings", ONE),
        ("/linux/gidMappings", ONE),
    ],
    "joined namespace": [(f"{NS}/5", {"type": "cgroup", "path": "/proc/self/ns/cgroup"})],
    "options of a file system": [
        ("/mounts/0", {"destination": "/t", "type": "tmpfs", "options": ["size=1m", "nosuid"]})
    ],
    "a relative destination": [("/mounts/0", {"destination": "t", "type": "tmpfs"})],
    "a mapped bind": [("/mounts/0", {**BIND, "options": ["bind", "idmap"], "uidMappings": ONE, "gidMappings": ONE})],
    "a bind mapped as the container": [*MAPPED, ("/mounts/0", {**BIND, "options": ["rbind", "ridmap"]})],
    "a large terminal without terminal": [("/process/consoleSize", {"height": 2**40, "width": 1})],
    "rlimits": [("/process/rlimits/0", {"type": "RLIMIT_CORE", "soft": 0, "hard": 2**64 - 1})],
    "deadline": [
        ("/process/scheduler", {"policy": "SCHED_DEADLINE", "runtime": 10**6, "deadline": 10**7, "period": 10**7})
    ],
    "fifo": [("/process/scheduler", {"policy": "SCHED_FIFO", "priority": 99, "flags": ["SCHED_FLAG_RESET_ON_FORK"]})],
    "other": [("/process/scheduler", {"policy": "SCHED_OTHER", "nice": -20})],
    "affinity": [("/process/execCPUAffinity", {"initial": "0-3, 7", "final": ""})],
    "fifo node": [("/linux/devices/0", {"path": "/dev/f", "type": "p"})],
    "mode bits of the host": [
        ("/linux/devices/0", {"path": "/d", "type": "c", "major": 1, "minor": 3, "fileMode": 0o1666}),
        ("/linux/devices/1", {"path": "/e", "type": "c", "major": 1, "minor": 5, "fileMode": 0o020644}),
    ],
    "time": [TIME, ("/linux/timeOffsets", {"boottime": {"secs": -5}, "monotonic": {"nanosecs": 999_999_999}})],
    "net devices": [("/linux/netDevices", {"eth7": {"name": "eth0"}, "eth8": {}})],
    "sysctls": [("/linux/sysctl", {"net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "kernel.domainname": "d"})],
    "filter": [("/linux/seccomp", FILTER)],
    "listener": [("/linux/seccomp", {**NOTIFY, "listenerPath": "/run/agent", "listenerMetadata": "x"})],
    "memory": [("/linux/resources/memory", {"limit": -1, "swap": -1, "kernel": -1, "swappiness": 100})],
    "unset swap": [("/linux/resources/memory", {"limit": 1 << 30, "swap": 0})],
    "cpu": [("/linux/resources/cpu", {"quota": -1, "burst": 5, "cpus": "0-1", "mems": "0", "idle": 1})],
    "device rules": [("/linux/resources/devices", [{"allow": False, "access": "rwm"}, {"allow": True, "major": -1}])],
    "unified": [("/linux/resources/unified", {"memory.high": "1", "hugetlb.1GB.max": "1"})],
    "propagation": [("/linux/rootfsPropagation", "rslave")],
    "personality": [("/linux/personality", {"domain": "LINUX32"})],
    "memory policy": [("/linux/memoryPolicy", {"mode": "MPOL_BIND", "nodes": "0-1", "flags": ["MPOL_F_STATIC_NODES"]})],
    "hooks": [("/hooks", {"poststop": [{"path": "/bin/true", "timeout": 1}]})],
    "foreign annotations": [("/annotations", {"org.example.x": "a\nb", "y": ""})],
    "null members": [("/hooks", None), ("/annotations", None), ("/process/capabilities", None)],
    "unknown members": [("/linux/futureSection", {"x": [1]}), ("/futureMember", 1.5)],
}


# Pointer of the error, words of it, and the changes that bring it.
INVALID: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("/ociVersion", "is not a version of the form", [("/ociVersion", "1.2")]),
    ("/ociVersion", "is not a version of the form", [("/ociVersion", "01.2.3")]),
    ("/ociVersion", "is required", [("/ociVersion", ABSENT)]),
    ("/root", "is required", [("/root", ABSENT)]),
    ("/root/path", "must not be empty", [("/root/path", "")]),
    ("/process", "is required", [("/process", ABSENT)]),
    ("/process/args", "must not be empty", [("/process/args", [])]),
    ("/process/args/1", "contains a NUL", [("/process/args/1", "a\0b")]),
    ("/process/cwd", '"tmp" is not an absolute path', [("/process/cwd", "tmp")]),
    ("/process/cwd", "is not an absolute path", [("/process/cwd", "")]),
    ("/process/env/0", '"NOVALUE" is not of the form NAME=VALUE', [("/process/env/0", "NOVALUE")]),
    ("/process/env/0", "is not of the form", [("/process/env/0", "=x")]),
    (
        "/process/consoleSize/height",
        "is not between 0 and 65535",
        [("/process/terminal", True), ("/process/consoleSize", {"height": 65536, "width": 1})],
    ),
    ("/process/user/uid", "is no id", [("/process/user/uid", 2**32 - 1)]),
    ("/process/user/uid", "is not between", [("/process/user/uid", -1)]),
    ("/process/user/additionalGids/1", "is no id", [("/process/user/additionalGids", [1, 2**32 - 1])]),
    ("/process/user/umask", "is not between 0 and 511", [("/process/user/umask", 0o1000)]),
    ("/process/user/uid", "5 is not in uidMappings", [*MAPPED, ("/process/user/uid", 5)]),
    ("/process/user/additionalGids/0", "is not in gidMappings", [*MAPPED, ("/process/user/additionalGids", [7])]),
    (
        "/process/rlimits/0/type",
        "unknown resource",
        [("/process/rlimits/0", {"type": "RLIMIT_X", "soft": 1, "hard": 1})],
    ),
    (
        "/process/rlimits/1/type",
        "RLIMIT_CPU is limited twice",
        [("/process/rlimits", [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2)],
    ),
    (
        "/process/rlimits/0/soft",
        "2 is above the hard limit 1",
        [("/process/rlimits/0", {"type": "RLIMIT_CPU", "soft": 2, "hard": 1})],
    ),
    ("/process/oomScoreAdj", "is not between -1000 and 1000", [("/process/oomScoreAdj", 1001)]),
    (
        "/process/scheduler/nice",
        "is not between -20 and 19",
        [("/process/scheduler", {"policy": "SCHED_OTHER", "nice": 20})],
    ),
    (
        "/process/scheduler/nice",
        "takes no nice",
        [("/process/scheduler", {"policy": "SCHED_FIFO", "priority": 1, "nice": 1})],
    ),
    ("/process/scheduler/priority", "between 1 and 99", [("/process/scheduler", {"policy": "SCHED_FIFO"})]),
    (
        "/process/scheduler/priority",
        "takes no priority",
        [("/process/scheduler", {"policy": "SCHED_IDLE", "priority": 1})],
    ),
    (
        "/process/scheduler/period",
        "takes no period",
        [("/process/scheduler", {"policy": "SCHED_RR", "priority": 1, "period": 1})],
    ),
    (
        "/process/scheduler/runtime",
        "is required",
        [("/process/scheduler", {"policy": "SCHED_DEADLINE", "deadline": 5})],
    ),
    (
        "/process/scheduler/deadline",
        "below the runtime",
        [("/process/scheduler", {"policy": "SCHED_DEADLINE", "runtime": 6, "deadline": 5})],
    ),
    (
        "/process/scheduler/period",
        "below the deadline",
        [("/process/scheduler", {"policy": "SCHED_DEADLINE", "runtime": 1, "deadline": 5, "period": 4})],
    ),
    (
        "/process/scheduler/flags/0",
        'unknown flag "X"',
        [("/process/scheduler", {"policy": "SCHED_OTHER", "flags": ["X"]})],
    ),
    ("/process/ioPriority/class", "unknown I/O class", [("/process/ioPriority", {"class": "RT", "priority": 1})]),
    (
        "/process/ioPriority/priority",
        "between 0 and 7",
        [("/process/ioPriority", {"class": "IOPRIO_CLASS_BE", "priority": 8})],
    ),
    ("/process/execCPUAffinity/initial", "is not a list", [("/process/execCPUAffinity", {"initial": "3-1"})]),
    ("/process/execCPUAffinity/final", "is not a list", [("/process/execCPUAffinity", {"final": "0-99999999"})]),
    ("/hostname", "needs a uts namespace", [(NS, [{"type": "mount"}]), ("/hostname", "h")]),
    ("/domainname", "needs a uts namespace", [(NS, [{"type": "mount"}]), ("/domainname", "h")]),
    ("/hostname", "is longer than 64 bytes", [("/hostname", "é" * 33)]),
    ("/mounts/0/destination", "is required", [("/mounts/0", {"type": "proc"})]),
    ("/mounts/0/destination", "must not be empty", [("/mounts/0", {"type": "proc", "destination": ""})]),
    ("/mounts/0/type", "is required", [("/mounts/0", {"destination": "/x"})]),
    ("/mounts/0/source", "is required", [("/mounts/0", {"destination": "/x", "type": "bind"})]),
    ("/mounts/0/options/1", "expected string, got integer", [("/mounts/0", {**BIND, "options": ["rbind", 1]})]),
    (
        "/mounts/0/options/2",
        "ridmap contradicts idmap",
        [("/mounts/0", {**BIND, "options": ["rbind", "idmap", "ridmap"]})],
    ),
    ("/mounts/0/options/1", "tmpcopyup is for", [("/mounts/0", {**BIND, "options": ["rbind", "tmpcopyup"]})]),
    ("/mounts/0/uidMappings", "is required for idmap", [("/mounts/0", {**BIND, "options": ["rbind", "idmap"]})]),
    ("/mounts/0/gidMappings", "come together", [("/mounts/0", {**BIND, "uidMappings": ONE})]),
    (
        "/mounts/0/gidMappings/0/size",
        "must not be 0",
        [("/mounts/0", {**BIND, "uidMappings": ONE, "gidMappings": [mapping(0, 0, 0)]})],
    ),
    ("/mounts/0/source", "is longer than 4095", [("/mounts/0", {**BIND, "source": "/" * 5000})]),
    ("/hooks/prestart/0/path", "is not an absolute path", [("/hooks/prestart/0", {"path": "true"})]),
    ("/hooks/poststop/0/timeout", "0 is not greater than zero", [("/hooks/poststop/0", {"path": "/x", "timeout": 0})]),
    ("/hooks/createContainer/1/path", "is required", [("/hooks/createContainer", [{"path": "/x"}, {}])]),
    ("/annotations/", "must not be empty", [("/annotations", {"": "x"})]),
    ("/annotations/a~1b", "expected string, got integer", [("/annotations", {"a/b": 1})]),
    ("/linux/namespaces/2/type", 'unknown namespace "foo"', [(f"{NS}/2", {"type": "foo"})]),
    ("/linux/namespaces/5/type", 'namespace "pid" is given twice', [(f"{NS}/5", {"type": "pid"})]),
    ("/linux/namespaces/5/path", "is not an absolute path", [(f"{NS}/5", {"type": "cgroup", "path": "ns"})]),
    ("/linux/namespaces/5/path", "No such file", [(f"{NS}/5", {"type": "cgroup", "path": "/no/such"})]),
    (
        "/linux/namespaces/5/path",
        "is not a cgroup namespace",
        [(f"{NS}/5", {"type": "cgroup", "path": "/proc/self/ns/uts"})],
    ),
    ("/linux/namespaces/5/path", "is not a cgroup namespace", [(f"{NS}/5", {"type": "cgroup", "path": "/etc/passwd"})]),
    ("/linux/namespaces/5/path", "is not a cgroup namespace", [(f"{NS}/5", {"type": "cgroup", "path": "/dev/tty"})]),
    ("/linux/uidMappings", "needs a user namespace", [("/linux/uidMappings", ONE)]),
    ("/linux/gidMappings", "is required for a new user namespace", [USER, ("/linux/uidMappings", ONE)]),
    ("/linux/uidMappings", "has 341 entries; the kernel takes 340", [USER, ("/linux/uidMappings", spread(341))]),
    ("/linux/uidMappings/0/size", "must not be 0", [USER, ("/linux/uidMappings", [mapping(0, 0, 0)])]),
    ("/linux/uidMappings/0/size", "is beyond the last id", [USER, ("/linux/uidMappings", [mapping(1, 0, 2**32 - 1)])]),
    (
        "/linux/uidMappings/1/containerID",
        "overlaps the range of entry 0",
        [USER, ("/linux/uidMappings", [mapping(5, 0, 10), mapping(0, 100, 6)])],
    ),
    (
        "/linux/uidMappings/1/hostID",
        "overlaps the range of entry 0",
        [USER, ("/linux/uidMappings", [mapping(0, 100, 10), mapping(10, 109, 1)])],
    ),
    ("/linux/uidMappings/0/hostID", "is required", [("/linux/uidMappings", [{"containerID": 0, "size": 1}])]),
    ("/linux/timeOffsets", "needs a new time namespace", [("/linux/timeOffsets", {"boottime": {"secs": 1}})]),
    ("/linux/timeOffsets/realtime", 'unknown clock "realtime"', [TIME, ("/linux/timeOffsets", {"realtime": {}})]),
    (
        "/linux/timeOffsets/boottime/nanosecs",
        "is a second or more",
        [TIME, ("/linux/timeOffsets", {"boottime": {"nanosecs": 10**9}})],
    ),
    ("/linux/devices/0/path", "is not an absolute path", [("/linux/devices/0", {"path": "x", "type": "p"})]),
    ("/linux/devices/0/type", "unknown device type", [("/linux/devices/0", {"path": "/x", "type": "a"})]),
    ("/linux/devices/0/major", "is required", [("/linux/devices/0", {"path": "/x", "type": "c"})]),
    (
        "/linux/devices/0/minor",
        "is not between",
        [("/linux/devices/0", {"path": "/x", "type": "c", "major": 1, "minor": -1})],
    ),
    (
        "/linux/devices/0/fileMode",
        "is not the mode of a device of type p",
        [("/linux/devices/0", {"path": "/x", "type": "p", "fileMode": 0o100666})],
    ),
    (
        "/linux/devices/1/path",
        "is another device already",
        [("/linux/devices", [{"path": "/x", "type": "c", "major": 1, "minor": n} for n in (3, 5)])],
    ),
    (
        "/linux/netDevices",
        "needs a network namespace",
        [(NS, [{"type": "mount"}]), ("/linux/netDevices", {"eth0": {}})],
    ),
    ("/linux/netDevices/eth0/name", "is no name of an interface", [("/linux/netDevices", {"eth0": {"name": "a b"}})]),
    ("/linux/netDevices/a~1b", "is no name of an interface", [("/linux/netDevices", {"a/b": {}})]),
    ("/linux/netDevices/b/name", "is the name of another one", [("/linux/netDevices", {"a": {}, "b": {"name": "a"}})]),
    ("/linux/cgroupsPath", "must not have .. in it", [("/linux/cgroupsPath", "/a/../../b")]),
    ("/linux/resources/memory/limit", "neither a number of bytes nor -1", [("/linux/resources/memory/limit", -2)]),
    ("/linux/resources/memory/swappiness", "is not between 0 and 100", [("/linux/resources/memory/swappiness", 101)]),
    ("/linux/resources/memory/swap", "is below the limit", [("/linux/resources/memory", {"limit": 20, "swap": 10})]),
    ("/linux/resources/cpu/cpus", "is not a list", [("/linux/resources/cpu/cpus", "0-")]),
    ("/linux/resources/cpu/mems", "is not a list", [("/linux/resources/cpu/mems", "x")]),
    ("/linux/resources/cpu/idle", "is neither 0 nor 1", [("/linux/resources/cpu/idle", 2)]),
    ("/linux/resources/cpu/quota", "nor -1", [("/linux/resources/cpu/quota", -2)]),
    ("/linux/resources/cpu/burst", "is above the quota", [("/linux/resources/cpu", {"quota": 1000, "burst": 1001})]),
    (
        "/linux/resources/devices/0/type",
        "is neither a, b nor c",
        [("/linux/resources/devices/0", {"allow": True, "type": "x"})],
    ),
    (
        "/linux/resources/devices/0/access",
        "made of r, w and m",
        [("/linux/resources/devices/0", {"allow": True, "access": "x"})],
    ),
    (
        "/linux/resources/devices/0/major",
        "is not between -1",
        [("/linux/resources/devices/0", {"allow": True, "major": -2})],
    ),
    (
        "/linux/resources/blockIO/weightDevice/0/weight",
        "is required where there is no leafWeight",
        [("/linux/resources/blockIO/weightDevice/0", {"major": 8, "minor": 0})],
    ),
    (
        "/linux/resources/blockIO/throttleReadIOPSDevice/0/major",
        "is not between",
        [("/linux/resources/blockIO/throttleReadIOPSDevice/0", {"major": -1, "minor": 0, "rate": 1})],
    ),
    (
        "/linux/resources/hugepageLimits/0/pageSize",
        "is not a size such as 2MB",
        [("/linux/resources/hugepageLimits/0", {"pageSize": "2M", "limit": 1})],
    ),
    (
        "/linux/resources/network/priorities/0/name",
        "is no name of an interface",
        [("/linux/resources/network/priorities/0", {"name": "a\nb", "priority": 1})],
    ),
    ("/linux/resources/rdma/mlx5~11/hcaHandles", "is required where", [("/linux/resources/rdma", {"mlx5/1": {}})]),
    ("/linux/resources/rdma/a b", "is no name of a device", [("/linux/resources/rdma", {"a b": {"hcaHandles": 1}})]),
    ("/linux/resources/unified/a~1b.c", "CONTROLLER.PARAMETER", [("/linux/resources/unified", {"a/b.c": "1"})]),
    ("/linux/resources/unified/memory", "CONTROLLER.PARAMETER", [("/linux/resources/unified", {"memory": "1"})]),
    ("/linux/sysctl/kernel.panic", "is not in a separate kernel namespace", [("/linux/sysctl", {"kernel.panic": "1"})]),
    (
        "/linux/sysctl/net.ipv4.ip_forward",
        "not allowed in host network namespace",
        [(NS, [{"type": "mount"}]), ("/linux/sysctl", {"net.ipv4.ip_forward": "1"})],
    ),
    (
        "/linux/sysctl/net.ipv4.ip_forward",
        "not allowed in host network namespace",
        [(f"{NS}/2/path", "/proc/self/ns/net"), ("/linux/sysctl", {"net.ipv4.ip_forward": "1"})],
    ),
    ("/hostname", "needs a uts namespace", [(f"{NS}/4/path", "/proc/self/ns/uts"), ("/hostname", "h")]),
    ("/linux/seccomp/defaultAction", "is required", [("/linux/seccomp", {"syscalls": []})]),
    ("/linux/seccomp/defaultAction", "unknown action", [("/linux/seccomp/defaultAction", "SCMP_ACT_X")]),
    (
        "/linux/seccomp/defaultErrnoRet",
        "SCMP_ACT_ALLOW takes no number",
        [("/linux/seccomp", {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1})],
    ),
    ("/linux/seccomp/listenerPath", "is required with SCMP_ACT_NOTIFY", [("/linux/seccomp", NOTIFY)]),
    ("/linux/seccomp/listenerPath", "absolute path", [("/linux/seccomp", {**NOTIFY, "listenerPath": "agent"})]),
    (
        "/linux/seccomp/listenerMetadata",
        "needs a listenerPath",
        [("/linux/seccomp", {**FILTER, "listenerMetadata": "x"})],
    ),
    ("/linux/seccomp/flags/0", "unknown flag", [("/linux/seccomp", {**FILTER, "flags": ["X"]})]),
    (
        "/linux/seccomp/architectures/0",
        "unknown architecture",
        [("/linux/seccomp", {**FILTER, "architectures": ["X"]})],
    ),
    (
        "/linux/seccomp/syscalls/0/names",
        "must not be empty",
        [("/linux/seccomp", {**FILTER, "syscalls": [{**RULE, "names": []}]})],
    ),
    (
        "/linux/seccomp/syscalls/0/errnoRet",
        "takes no number",
        [("/linux/seccomp", {**FILTER, "syscalls": [{**RULE, "errnoRet": 1}]})],
    ),
    (
        "/linux/seccomp/syscalls/0/errnoRet",
        "is not between 0 and 65535",
        [("/linux/seccomp", {**FILTER, "syscalls": [{**RULE, "action": "SCMP_ACT_ERRNO", "errnoRet": 65536}]})],
    ),
    (
        "/linux/seccomp/syscalls/0/args/0/index",
        "6 is not between 0 and 5",
        [
            (
                "/linux/seccomp",
                {**FILTER, "syscalls": [{**RULE, "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]},
            )
        ],
    ),
    (
        "/linux/seccomp/syscalls/0/args/0/op",
        "unknown operator",
        [("/linux/seccomp", {**FILTER, "syscalls": [{**RULE, "args": [{"index": 0, "value": 1, "op": "EQ"}]}]})],
    ),
    ("/linux/rootfsPropagation", 'unknown propagation "up"', [("/linux/rootfsPropagation", "up")]),
    ("/linux/maskedPaths/0", "is not an absolute path", [("/linux/maskedPaths", ["proc/kcore"])]),
    ("/linux/readonlyPaths/0", "is not an absolute path", [("/linux/readonlyPaths", ["proc/sys"])]),
    ("/linux/personality/domain", 'unknown domain "BSD"', [("/linux/personality", {"domain": "BSD"})]),
    ("/linux/memoryPolicy/mode", "unknown mode", [("/linux/memoryPolicy", {"mode": "BIND"})]),
    ("/linux/memoryPolicy/nodes", "takes no nodes", [("/linux/memoryPolicy", {"mode": "MPOL_LOCAL", "nodes": "0"})]),
    ("/linux/memoryPolicy/nodes", "is required for MPOL_BIND", [("/linux/memoryPolicy", {"mode": "MPOL_BIND"})]),
    (
        "/linux/memoryPolicy/flags/1",
        "contradicts",
        [
            (
                "/linux/memoryPolicy",
                {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]},
            )
        ],
    ),
    ("/linux/intelRdt/closID", "one component of a path", [("/linux/intelRdt", {"closID": "../x"})]),
    ("/linux/intelRdt/memBwSchema", "starts with MB:", [("/linux/intelRdt", {"memBwSchema": "L3:0=1"})]),
    ("/linux/intelRdt/schemata/0", "one line", [("/linux/intelRdt", {"schemata": ["L3:0=1\nMB:0=1"]})]),
]


UNSUPPORTED: list[tuple[str, list[tuple[str, Any]]]] = [
    ("/ociVersion", [("/ociVersion", "2.0.0")]),
    ("/ociVersion", [("/ociVersion", "0.9.1")]),
    ("/linux/namespaces", [(NS, [{"type": "pid"}])]),
    ("/process/scheduler/policy", [("/process/scheduler", {"policy": "SCHED_ISO"})]),
    ("/linux/personality/flags/0", [("/linux/personality", {"domain": "LINUX", "flags": ["X"]})]),
    ("/mounts/0/options", [*MAPPED, ("/mounts/0", {"destination": "/t", "type": "tmpfs", "options": ["idmap"]})]),
    ("/linux/seccomp/defaultAction", [("/linux/seccomp", {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/a"})]),
    (
        "/linux/seccomp/syscalls/0/names/1",
        [
            (
                "/linux/seccomp",
                {
                    **NOTIFY,
                    "listenerPath": "/a",
                    "syscalls": [{**RULE, "names": ["mkdir", "write"], "action": "SCMP_ACT_NOTIFY"}],
                },
            )
        ],
    ),
    ("/linux/intelRdt/enableCMT", [("/linux/intelRdt", {"enableCMT": True})]),
]
