"""`top`: the processes of a container, from /proc of the host: no program is run.

Source: proc(5); columns are those of `ps -ef`, docker's default.
"""

from __future__ import annotations

import os
import time

from windlass.base.errors import InvalidParameter
from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning

_TICKS = os.sysconf("SC_CLK_TCK")
_TITLES = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
_KNOWN_ARGUMENTS = ("", "-ef", "ef", "-aux", "aux")


async def top(engine: Engine, reference: str, ps_args: str = "") -> dict[str, object]:
    """Return the processes as the API's ContainerTopResponse.

    Raises:
        NoSuchContainer, NotRunning.
        InvalidParameter: arguments of `ps` other than `-ef`.
    """
    container = engine.containers.get(reference)
    if not container.state.is_running or container.cgroup is None:
        raise NotRunning(container.id)
    if ps_args.strip() not in _KNOWN_ARGUMENTS:
        raise InvalidParameter(f"ps arguments {ps_args!r} are not supported; the columns are those of ps -ef")
    rows = await run_blocking(processes, container.cgroup)
    return {"Titles": _TITLES, "Processes": rows}


def processes(cgroup: Cgroup) -> list[list[str]]:
    """Return a row for each process of a control group. Blocks."""
    boot_s = time.time() - float(_read("/proc/uptime").split()[0])
    return [row for pid in sorted(cgroup.processes()) if (row := _row(pid, boot_s))]


def _row(pid: int, boot_s: float) -> list[str]:
    stat = _read(f"/proc/{pid}/stat")
    if not stat:
        return []
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    cpu_s = (int(fields[11]) + int(fields[12])) // _TICKS
    started_s = boot_s + int(fields[19]) / _TICKS
    age_s = max(1.0, time.time() - started_s)
    command = _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip() or f"[{name}]"
    return [
        _user(pid),
        str(pid),
        fields[1],
        str(int(100 * cpu_s / age_s)),
        time.strftime("%H:%M", time.localtime(started_s)),
        _terminal(int(fields[4])),
        f"{cpu_s // 3600:02d}:{cpu_s // 60 % 60:02d}:{cpu_s % 60:02d}",
        command,
    ]


def _user(pid: int) -> str:
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return "?"
    return "root" if uid == 0 else str(uid)


def _terminal(device: int) -> str:
    major, minor = os.major(device), os.minor(device)
    return f"pts/{minor}" if 136 <= major <= 143 else "?"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
