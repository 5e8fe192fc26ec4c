"""`stats`: the figures of a container's control group and network, in the API's shape.

Source: Engine API, ContainerStatsResponse.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from windlass.base.clock import ZERO_TIME, now_ns, rfc3339_nano
from windlass.base.threads import run_blocking
from windlass.cgroups.figures import BlockEntry, CgroupStats
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine

_INTERVAL_S = 1.0
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_NET_FIELDS = (
    ("rx_bytes", 0),
    ("rx_packets", 1),
    ("rx_errors", 2),
    ("rx_dropped", 3),
    ("tx_bytes", 8),
    ("tx_packets", 9),
    ("tx_errors", 10),
    ("tx_dropped", 11),
)

Sample = dict[str, object]


async def samples(engine: Engine, container: Container, stop: asyncio.Future[None]) -> AsyncIterator[Sample]:
    """Yield a sample each second, until `stop` is done or the container is gone."""
    previous: Sample | None = None
    while not stop.done() and not container.removed:
        current = await run_blocking(_sample, engine, container)
        yield _with_previous(current, previous)
        previous = current
        await asyncio.wait((stop,), timeout=_INTERVAL_S)


async def sample(engine: Engine, container: Container, *, one_shot: bool) -> Sample:
    """Return one sample; unless `one_shot`, with the one of a second before, so that rates can be computed."""
    first = await run_blocking(_sample, engine, container)
    if one_shot or not container.state.is_running:
        return _with_previous(first, None)
    await asyncio.sleep(_INTERVAL_S)
    return _with_previous(await run_blocking(_sample, engine, container), first)


def _with_previous(current: Sample, previous: Sample | None) -> Sample:
    before = previous or {"read": ZERO_TIME, "cpu_stats": _cpu(CgroupStats(), 0, 0)}
    return {**current, "preread": before["read"], "precpu_stats": before["cpu_stats"]}


def _sample(engine: Engine, container: Container) -> Sample:
    """Blocks. A container without processes has zeros only."""
    cgroup = container.cgroup
    figures = cgroup.stats() if cgroup is not None else CgroupStats()
    running = cgroup is not None
    return {
        "name": f"/{container.name}",
        "id": container.id,
        "read": rfc3339_nano(now_ns()) if running else ZERO_TIME,
        "num_procs": 0,
        "storage_stats": {},
        "pids_stats": _pids(figures),
        "blkio_stats": _block_io(figures),
        "cpu_stats": _cpu(figures, _system_cpu_ns() if running else 0, engine.facts.cpu_count if running else 0),
        "memory_stats": _memory(figures) if running else {},
        "networks": _networks(container.state.pid) if running and container.state.endpoints else {},
    }


def _pids(figures: CgroupStats) -> dict[str, int]:
    shown = {"current": figures.pids} if figures.pids else {}
    if figures.pids_limit:
        shown["limit"] = figures.pids_limit
    return shown


def _block_io(figures: CgroupStats) -> dict[str, list[dict[str, object]] | None]:
    def entries(found: tuple[BlockEntry, ...]) -> list[dict[str, object]] | None:
        return [{"major": e.major, "minor": e.minor, "op": e.op, "value": e.value} for e in found] or None

    return {
        "io_service_bytes_recursive": entries(figures.block.bytes),
        "io_serviced_recursive": entries(figures.block.operations),
        "io_queue_recursive": None,
        "io_service_time_recursive": None,
        "io_wait_time_recursive": None,
        "io_merged_recursive": None,
        "io_time_recursive": None,
        "sectors_recursive": None,
    }


def _cpu(figures: CgroupStats, system_ns: int, cpus: int) -> dict[str, object]:
    cpu = figures.cpu
    usage: dict[str, object] = {
        "total_usage": cpu.usage_ns,
        "usage_in_kernelmode": cpu.system_ns,
        "usage_in_usermode": cpu.user_ns,
    }
    if cpu.per_cpu_ns:
        usage["percpu_usage"] = list(cpu.per_cpu_ns)
    shown: dict[str, object] = {
        "cpu_usage": usage,
        "throttling_data": {
            "periods": cpu.periods,
            "throttled_periods": cpu.throttled_periods,
            "throttled_time": cpu.throttled_ns,
        },
    }
    if system_ns:
        shown |= {"system_cpu_usage": system_ns, "online_cpus": cpus}
    return shown


def _memory(figures: CgroupStats) -> dict[str, object]:
    memory = figures.memory
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # Without a limit v1 shows a number that no machine has.
    limit = memory.limit if 0 < memory.limit < total else total
    shown: dict[str, object] = {"usage": memory.usage, "stats": memory.stat, "limit": limit}
    if memory.max_usage:
        shown["max_usage"] = memory.max_usage
    if memory.failures:
        shown["failcnt"] = memory.failures
    return shown


def _system_cpu_ns() -> int:
    """CPU time of the whole host. Source: proc(5), /proc/stat: user to steal."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(int(value) for value in file.readline().split()[1:9]) * _TICK_NS


def _networks(pid: int) -> dict[str, dict[str, int]]:
    """Counters of the interfaces in a process's network namespace."""
    found: dict[str, dict[str, int]] = {}
    try:
        with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:
            lines = file.readlines()[2:]
    except OSError:
        return found
    for line in lines:
        name, _, rest = line.partition(":")
        if name.strip() != "lo":
            figures = rest.split()
            found[name.strip()] = {key: int(figures[position]) for key, position in _NET_FIELDS}
    return found
