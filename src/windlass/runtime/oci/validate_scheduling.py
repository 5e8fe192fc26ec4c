"""How a process is scheduled: CPU, I/O, affinity.

Source: runtime-spec config.md, "Linux Process"; sched(7), sched_setattr(2), ioprio_set(2).
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault, shown, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.runtime import Process, Scheduler

_REAL_TIME = frozenset({"SCHED_FIFO", "SCHED_RR"})
_NICE = frozenset({"SCHED_OTHER", "SCHED_BATCH"})


def check_scheduling(process: Process, at: str) -> None:
    """Check the scheduling of a process; `at` is the process's pointer.

    Raises:
        Fault: the first rule that is broken.
    """
    if process.scheduler is not None:
        _scheduler(process.scheduler, f"{at}/scheduler")
    priority = process.io_priority
    if priority is not None and not 0 <= priority.priority <= 7:
        raise Fault(f"{at}/ioPriority/priority", f"{priority.priority} is not between 0 and 7")
    if affinity := process.exec_cpu_affinity:
        check_list(affinity.initial, f"{at}/execCPUAffinity/initial")
        check_list(affinity.final, f"{at}/execCPUAffinity/final")


def _scheduler(scheduler: Scheduler, at: str) -> None:
    policy = scheduler.policy
    if policy == "SCHED_ISO":
        raise unsupported(f"{at}/policy", "Linux has no SCHED_ISO")
    if not -20 <= scheduler.nice <= 19:
        raise Fault(f"{at}/nice", f"{scheduler.nice} is not between -20 and 19")
    if scheduler.nice and policy not in _NICE:
        raise Fault(f"{at}/nice", f"{policy} takes no nice value")
    if policy in _REAL_TIME and not 1 <= scheduler.priority <= 99:
        raise Fault(f"{at}/priority", f"{scheduler.priority} is not between 1 and 99")
    if policy not in _REAL_TIME and scheduler.priority:
        raise Fault(f"{at}/priority", f"{policy} takes no priority")
    if policy != "SCHED_DEADLINE":
        for name in ("runtime", "deadline", "period"):
            if getattr(scheduler, name):
                raise Fault(f"{at}/{name}", f"{policy} takes no {name}")
    else:
        _deadline(scheduler, at)


def _deadline(scheduler: Scheduler, at: str) -> None:
    """The kernel wants runtime <= deadline <= period; a period of 0 is the deadline."""
    if not scheduler.runtime:
        raise Fault(f"{at}/runtime", "is required for SCHED_DEADLINE")
    if not scheduler.runtime <= scheduler.deadline:
        raise Fault(f"{at}/deadline", f"{scheduler.deadline} is below the runtime {scheduler.runtime}")
    if scheduler.period and scheduler.period < scheduler.deadline:
        raise Fault(f"{at}/period", f"{scheduler.period} is below the deadline {scheduler.deadline}")


def check_list(text: str, at: str) -> None:
    """Check a list of CPUs or memory nodes such as `0-3, 6`.

    Raises:
        Fault: it is none.
    """
    from windlass.runtime.cpu_lists import parse_list

    try:
        parse_list(text.replace(" ", ""))
    except ValueError:
        raise Fault(at, f"{shown(text)} is not a list such as 0-3,7") from None
