"""Proportional memory of processes: what each alone holds, plus its share of what several map."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

_LOOK_AGAIN_S = 0.25
_SETTLED_WITHIN = 0.01
_SETTLE_TIMEOUT_S = 5.0
_KIB_PER_MB = 1000 / 1.024


def pss_mb(pids: Iterable[int]) -> float:
    """Return the summed PSS of processes in MB (10^6 bytes). Those that are gone count nothing.

    Source: proc_pid_smaps(5), smaps_rollup.
    """
    return sum(map(_pss_kib, pids)) / _KIB_PER_MB


def settled_mb(measure: Callable[[], float]) -> float:
    """Return what `measure` gives once two looks agree within 1 %, or the last one after 5 s.

    Just after work a collector or an allocator is still giving pages back.
    """
    deadline = time.monotonic() + _SETTLE_TIMEOUT_S
    last = measure()
    while time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_S)
        now = measure()
        if abs(now - last) <= _SETTLED_WITHIN * max(now, last):
            return now
        last = now
    return last


def _pss_kib(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0
