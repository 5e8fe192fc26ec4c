"""`events`: statistics and out-of-memory notices, one JSON object a line, as engines read them from runc.

Source: runc-events(8) and its package `types`.
"""

from __future__ import annotations

import sys
import time

from windlass.base import cold_json
from windlass.base.errors import Conflict, InvalidParameter
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly
from windlass.runtime.oci.groups import open_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from windlass.cgroups.figures import BlockEntry, CgroupStats, Counter, Pressure
    from windlass.cgroups.model import Cgroup
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.state import State

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_LOOK_S = 0.25
# Docker's and runc's word for no limit on v1, and on v2.
_UNLIMITED = (1 << 64) - 1


def events(call: Call) -> int:
    """Print once, or until the container has ended."""
    exactly(call.words, 1, "events")
    interval = duration(call.values.text("interval", "5s"))
    directory = states.Directory.open(call.root, call.words[0], wait=False)
    state = directory.state()
    if states.status(directory, state) in ("stopped", "creating"):
        raise Conflict(f"container with id {state.id} is not running")
    group = open_group(state)
    if call.values.on("stats"):
        _print("stats", state.id, statistics(group.stats(everything=True)))
        return 0
    _follow(state, group, interval)
    return 0


def _follow(state: State, group: Cgroup, interval: float) -> None:
    """Look for out-of-memory kills all the time, and at the figures at every interval."""
    kills = group.stats().memory.oom_kills
    due = time.monotonic() + interval
    alive = True
    while alive:
        time.sleep(min(_LOOK_S, max(0.0, due - time.monotonic())))
        # Asked before the figures are read: those of the dead have the kill that was its end.
        alive = states.is_alive(state)
        now = group.stats().memory.oom_kills
        for _ in range(now - kills):
            _print("oom", state.id, None)
        kills = now
        if time.monotonic() >= due:
            _print("stats", state.id, statistics(group.stats(everything=True)))
            due += interval


def _print(kind: str, container_id: str, data: dict[str, Any] | None) -> None:
    event: dict[str, Any] = {"type": kind, "id": container_id}
    if data is not None:
        event["data"] = data
    sys.stdout.write(cold_json.dumps(event) + "\n")
    sys.stdout.flush()


def duration(text: str) -> float:
    """Return seconds of a text such as `5s`, `500ms` or `1m`.

    Raises:
        InvalidParameter: it is none, or not above zero.
    """
    for unit in ("ms", "s", "m", "h"):
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdecimal() and float(number) > 0:
            return float(number) * _UNITS_S[unit]
    raise InvalidParameter("duration interval must be greater than 0")


def statistics(stats: CgroupStats) -> dict[str, Any]:
    """Return the figures in runc's shape."""
    cpu, memory = stats.cpu, stats.memory
    return {
        "cpu": {
            "usage": {
                "total": cpu.usage_ns,
                "percpu": cpu.per_cpu_ns,
                "percpu_kernel": cpu.per_cpu_system_ns,
                "percpu_user": cpu.per_cpu_user_ns,
                "kernel": cpu.system_ns,
                "user": cpu.user_ns,
            },
            "throttling": {
                "periods": cpu.periods,
                "throttledPeriods": cpu.throttled_periods,
                "throttledTime": cpu.throttled_ns,
            },
            **_pressure(cpu.pressure),
        },
        "cpuset": _cpuset(stats),
        "memory": {
            "cache": memory.stat.get("cache", memory.stat.get("file", 0)),
            "usage": _entry(memory.limit, memory.usage, memory.max_usage, memory.failures),
            "swap": _counter(memory.swap),
            "kernel": _counter(memory.kernel),
            "kernelTCP": _counter(memory.kernel_tcp),
            "raw": memory.stat,
            **_pressure(memory.pressure),
        },
        "pids": {"current": stats.pids, "limit": stats.pids_limit},
        "blkio": _block(stats),
        "hugetlb": {size: _huge(counter) for size, counter in stats.hugetlb.items()},
        "intel_rdt": {},
        "network_interfaces": None,
    }


def _entry(limit: int, usage: int, maximum: int, failures: int) -> dict[str, int]:
    return {"limit": limit or _UNLIMITED, "usage": usage, "max": maximum, "failcnt": failures}


def _counter(counter: Counter) -> dict[str, int]:
    return _entry(counter.limit, counter.usage, counter.max_usage, counter.failures)


def _huge(counter: Counter) -> dict[str, int]:
    return {"usage": counter.usage, "max": counter.max_usage, "failcnt": counter.failures}


def _cpuset(stats: CgroupStats) -> dict[str, Any]:
    from windlass.runtime.cpu_lists import parse_list

    cpuset = stats.cpuset
    return {
        "cpus": sorted(parse_list(cpuset.cpus)) if cpuset.cpus else None,
        "mems": sorted(parse_list(cpuset.mems)) if cpuset.mems else None,
        **cpuset.flags,
    }


def _block(stats: CgroupStats) -> dict[str, Any]:
    block = stats.block
    return {
        "ioServiceBytesRecursive": _table(block.bytes),
        "ioServicedRecursive": _table(block.operations),
        "ioQueueRecursive": _table(block.queued),
        "ioServiceTimeRecursive": _table(block.service_time),
        "ioWaitTimeRecursive": _table(block.wait_time),
        "ioMergedRecursive": _table(block.merged),
        "ioTimeRecursive": _table(block.time),
        "sectorsRecursive": _table(block.sectors),
        **_pressure(block.pressure),
    }


def _table(entries: tuple[BlockEntry, ...]) -> list[dict[str, Any]]:
    return [
        {"major": entry.major, "minor": entry.minor, "op": entry.op.capitalize(), "value": entry.value}
        for entry in entries
    ]


def _pressure(pressure: Pressure | None) -> dict[str, Any]:
    """The figures of PSI, hundredths as the kernel prints them."""
    if pressure is None:
        return {}
    lines = {"some": pressure.some, "full": pressure.full}
    return {
        "psi": {
            name: {"avg10": line.avg10, "avg60": line.avg60, "avg300": line.avg300, "total": line.total_us}
            for name, line in lines.items()
        }
    }
