"""Limits that the kernel really enforces on a lowered container."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.launching import Bench
from tests.support.lowered import host_facts, lowered

from windlass.spec.container import HostConfig, Ulimit

pytestmark = pytest.mark.root


@pytest.mark.skipif("memory" not in host_facts().controllers, reason="needs the memory controller")
async def test_memory_limit_kills(bench: Bench) -> None:
    host = HostConfig(memory=16 << 20, memory_swap=16 << 20)
    async with lowered(bench, ["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"], host=host) as container:
        _, record = await bench.run(container.plan)
        assert container.cgroup.stats().memory.oom_kills == 1
    assert record.exit_code == 137


@pytest.mark.skipif("pids" not in host_facts().controllers, reason="needs the pids controller")
async def test_pids_limit(bench: Bench) -> None:
    script = "for i in 1 2 3 4 5; do sleep 0.2 & done; wait"
    async with lowered(bench, ["sh", "-c", f"{{ {script}; }} 2>&1"], host=HostConfig(pids_limit=3)) as container:
        assert "Resource temporarily unavailable" in await container.output()


@pytest.mark.skipif("cfs" not in host_facts().features, reason="needs CPU bandwidth control")
async def test_cpu_limit_throttles(bench: Bench) -> None:
    script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
    host = HostConfig(nano_cpus=100_000_000)
    async with lowered(bench, ["sh", "-c", script], host=host) as container:
        await container.output()
        assert container.cgroup.stats().cpu.throttled_periods > 0


async def test_ulimits(bench: Bench) -> None:
    host = HostConfig(ulimits=[Ulimit("nofile", 100, 200), Ulimit("core", 0, 0)])
    async with lowered(bench, ["sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -c"], host=host) as container:
        assert (await container.output()).split() == ["100", "200", "0"]


async def test_freeze_stops_and_resumes(bench: Bench) -> None:
    async with lowered(bench, ["sh", "-c", "while :; do :; done"]) as container:
        task = await container.start()
        await asyncio.to_thread(container.cgroup.set_frozen, True)
        before = container.cgroup.stats().cpu.usage_ns
        await asyncio.sleep(0.05)
        assert container.cgroup.stats().cpu.usage_ns == before
        await asyncio.to_thread(container.cgroup.set_frozen, False)
        container.cgroup.kill_all()
        assert (await task.wait()).exit_code == 137


async def test_the_container_sees_its_own_group(bench: Bench) -> None:
    if host_facts().cgroup_version == 1:
        script, expected = "cat /sys/fs/cgroup/pids/pids.max; cat /sys/fs/cgroup/pids/cgroup.procs | wc -l", "50"
    else:
        script, expected = "cat /sys/fs/cgroup/pids.max; cat /sys/fs/cgroup/cgroup.procs | wc -l", "50"
    async with lowered(bench, ["sh", "-c", script], host=HostConfig(pids_limit=50)) as container:
        limit, count = (await container.output()).split()
    assert limit == expected and int(count) >= 1
