"""How the kernel runs a container's process, read back inside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.launching import Bench, Connection
from tests.support.planned import NAMESPACES, make_exec, make_process, make_spec, make_task, output

from windlass.runtime.task import StartFailed
from windlass.spec.runtime import (
    CpuAffinity,
    IoPriority,
    MemoryPolicy,
    Personality,
    Process,
    Scheduler,
    TimeOffset,
    User,
)

pytestmark = pytest.mark.root


def _shell(script: str, **members: object) -> Process:
    return make_process("sh", "-c", script, **members)


async def test_policy_and_io_priority(bench: Bench) -> None:
    process = _shell(
        "cut -d' ' -f 19,41 /proc/self/stat; ionice -p $$",
        scheduler=Scheduler("SCHED_BATCH", nice=7),
        io_priority=IoPriority("IOPRIO_CLASS_BE", 3),
    )
    assert (await output(bench, make_spec(process))).splitlines() == ["7 3", "best-effort: prio 3"]


async def test_real_time_policy(bench: Bench) -> None:
    process = _shell(
        "cut -d' ' -f 40,41 /proc/self/stat; true",
        scheduler=Scheduler("SCHED_RR", priority=5, flags=["SCHED_FLAG_RESET_ON_FORK"]),
    )
    # Reset on fork: what the shell starts is ordinary again.
    assert await output(bench, make_spec(process)) == "0 0\n"
    process = make_process(
        "cut", "-d ", "-f", "40,41", "/proc/self/stat", scheduler=Scheduler("SCHED_FIFO", priority=4)
    )
    assert await output(bench, make_spec(process)) == "4 1\n"


async def test_a_policy_that_the_kernel_refuses(bench: Bench) -> None:
    spec = make_spec(make_process("true", scheduler=Scheduler("SCHED_FIFO", priority=0)))
    with pytest.raises(StartFailed, match="set scheduler policy 1: invalid argument"):
        await bench.start(make_task(bench, spec))


async def test_personality(bench: Bench) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("what the machine calls itself under LINUX32 is known for x86-64 only")
    assert await output(bench, make_spec(make_process("uname", "-m"), personality=Personality("LINUX32"))) == "i686\n"
    assert await output(bench, make_spec(_shell("cat /proc/self/personality"), personality=Personality("LINUX"))) == (
        "00000000\n"
    )


async def test_memory_policy(bench: Bench) -> None:
    if not Path("/proc/self/numa_maps").exists():
        pytest.skip("the kernel has no NUMA")
    spec = make_spec(
        make_process("cat", "/proc/self/numa_maps"),
        memory_policy=MemoryPolicy("MPOL_BIND", "0", ["MPOL_F_STATIC_NODES"]),
    )
    assert "bind=static:0" in await output(bench, spec)


async def test_umask(bench: Bench) -> None:
    assert await output(bench, make_spec(_shell("umask", user=User(umask=0o027)))) == "0027\n"


async def test_affinity_of_an_exec(bench: Bench) -> None:
    spec = make_spec(make_process("sleep", "1000"))
    task = await bench.start(make_task(bench, spec))
    try:
        for affinity, expected in ((CpuAffinity("0", ""), "0"), (CpuAffinity("0-1", "0"), "0")):
            with Connection() as client:
                process = _shell("grep Cpus_allowed_list /proc/self/status", exec_cpu_affinity=affinity)
                await task.exec(make_exec(spec, process), [client.attachment])
                client.handed_over()
                assert (await client.read_all()).decode().split() == ["Cpus_allowed_list:", expected]
    finally:
        await task.kill(9)
        await task.wait()


async def test_a_new_time_namespace_with_offsets(bench: Bench) -> None:
    if not Path("/proc/self/timens_offsets").exists():
        pytest.skip("the kernel has no time namespaces")
    offsets = {"monotonic": TimeOffset(1000), "boottime": TimeOffset(86400, 5)}
    script = "cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime; echo $$; readlink /proc/self/ns/time"
    spec = make_spec(_shell(script), namespaces=(*NAMESPACES, "time"), time_offsets=offsets)
    lines = (await output(bench, spec)).splitlines()
    assert [line.split() for line in lines[:2]] == [["monotonic", "1000", "0"], ["boottime", "86400", "5"]]
    assert int(lines[2]) > 86400
    assert lines[3] == "1"
    assert lines[4] != os.readlink("/proc/self/ns/time")


async def test_a_time_namespace_is_joined(bench: Bench) -> None:
    first = make_spec(make_process("sleep", "1000"), namespaces=(*NAMESPACES, "time"), time_offsets={
        "boottime": TimeOffset(777777)})  # fmt: skip
    task = await bench.start(make_task(bench, first, "first"))
    try:
        path = f"/proc/{task.pid}/ns/time"
        script = "readlink /proc/self/ns/time; cut -d. -f1 /proc/uptime"
        for found in (
            await output(bench, make_spec(_shell(script), namespaces=(*NAMESPACES, f"time={path}")), "second"),
            await _exec(bench, task, first, script),
        ):
            namespace, uptime = found.split()
            assert namespace == os.readlink(path)
            assert int(uptime) > 777777
    finally:
        await task.kill(9)
        await task.wait()


async def _exec(bench: Bench, task: object, spec: object, script: str) -> str:
    with Connection() as client:
        await task.exec(make_exec(spec, _shell(script)), [client.attachment])  # type: ignore
        client.handed_over()
        return (await client.read_all()).decode()
