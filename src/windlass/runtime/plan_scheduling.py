"""The part of a launch plan that says how the kernel runs the process.

Source: runtime-spec config.md, "Linux Process"; config-linux.md, "Personality", "Memory policy"; sched(7).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.runtime.cpu_lists import parse_list
from windlass.spec.plan import AnyOp, CpuAffinity, IoPriority, MemoryPolicy, Personality, SchedulerPolicy
from windlass.spec.runtime import Process, RuntimeSpec, Scheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_POLICIES = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_ISO": 4,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
_SCHEDULER_FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
_IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
_MEMORY_MODES = {
    "MPOL_DEFAULT": 0,
    "MPOL_PREFERRED": 1,
    "MPOL_BIND": 2,
    "MPOL_INTERLEAVE": 3,
    "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5,
    "MPOL_WEIGHTED_INTERLEAVE": 6,
}
_MEMORY_FLAGS = {"MPOL_F_NUMA_BALANCING": 1 << 13, "MPOL_F_RELATIVE_NODES": 1 << 14, "MPOL_F_STATIC_NODES": 1 << 15}
_DOMAINS = {"LINUX": 0x0000, "LINUX32": 0x0008}


def plan_scheduling(process: Process) -> Iterator[AnyOp]:
    """Set CPU and I/O scheduling of one process.

    Raises:
        InvalidParameter: unknown words.
    """
    if process.scheduler is not None:
        yield _scheduler(process.scheduler)
    if process.io_priority is not None:
        yield IoPriority(_number(_IO_CLASSES, process.io_priority.io_class, "I/O class"), process.io_priority.priority)


def plan_execution(spec: RuntimeSpec) -> Iterator[AnyOp]:
    """Set the execution domain and the NUMA policy, which every process of a container has.

    Raises:
        InvalidParameter: unknown words, malformed nodes.
    """
    personality = spec.linux.personality
    if personality is not None:
        if personality.flags:
            raise InvalidParameter(f"personality flag {personality.flags[0]} is not supported")
        yield Personality(_number(_DOMAINS, personality.domain, "personality domain"))
    policy = spec.linux.memory_policy
    if policy is not None:
        mode = _number(_MEMORY_MODES, policy.mode, "memory policy") | _bits(_MEMORY_FLAGS, policy.flags)
        yield MemoryPolicy(mode, _list(policy.nodes))


def plan_affinity(cpus: str) -> Iterator[AnyOp]:
    """Run on the CPUs of a list such as `0-3,6`; an empty one changes nothing.

    Raises:
        InvalidParameter: malformed.
    """
    if cpus:
        yield CpuAffinity(_list(cpus))


def _scheduler(scheduler: Scheduler) -> SchedulerPolicy:
    return SchedulerPolicy(
        _number(_POLICIES, scheduler.policy, "scheduler policy"),
        _bits(_SCHEDULER_FLAGS, scheduler.flags),
        scheduler.nice,
        scheduler.priority,
        scheduler.runtime,
        scheduler.deadline,
        scheduler.period,
    )


def _list(text: str) -> list[int]:
    try:
        return sorted(parse_list(text))
    except ValueError as error:
        raise InvalidParameter(str(error)) from error


def _number(words: Mapping[str, int], word: str, what: str) -> int:
    if word not in words:
        raise InvalidParameter(f"unknown {what}: {word}")
    return words[word]


def _bits(words: Mapping[str, int], wanted: Sequence[str]) -> int:
    bits = 0
    for word in wanted:
        bits |= _number(words, word, "flag")
    return bits
