"""Steps that say how the kernel runs the process."""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext
from windlass.linux import scheduling
from windlass.spec import plan as ops


def personality(_ctx: InitContext, op: ops.Personality) -> None:
    """Set the execution domain."""
    scheduling.set_personality(op.value)


def scheduler_policy(_ctx: InitContext, op: ops.SchedulerPolicy) -> None:
    """Set policy and attributes."""
    scheduling.set_scheduler(
        op.policy,
        flags=op.flags,
        nice=op.nice,
        priority=op.priority,
        runtime=op.runtime,
        deadline=op.deadline,
        period=op.period,
    )


def io_priority(_ctx: InitContext, op: ops.IoPriority) -> None:
    """Set the I/O priority."""
    scheduling.set_io_priority(op.io_class, op.level)


def cpu_affinity(_ctx: InitContext, op: ops.CpuAffinity) -> None:
    """Run on some CPUs only."""
    os.sched_setaffinity(0, op.cpus)


def memory_policy(_ctx: InitContext, op: ops.MemoryPolicy) -> None:
    """Set the NUMA policy."""
    scheduling.set_memory_policy(op.mode, op.nodes)
