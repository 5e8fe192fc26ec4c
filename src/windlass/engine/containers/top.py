"""`top`: the processes of a container, as `ps` on the host would show them.

Source: Engine API, ContainerTop.
"""

from __future__ import annotations

from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.announce import announce
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.engine.processes.columns import COLUMNS
from windlass.engine.processes.options import View, parse_options
from windlass.engine.processes.read import Process, read_processes


async def top(engine: Engine, reference: str, ps_args: str = "") -> dict[str, object]:
    """Return the processes as the API's ContainerTopResponse.

    Raises:
        NoSuchContainer, NotRunning.
        InvalidParameter: options that `ps` has not, or has not here.
    """
    container = engine.containers.get(reference)
    view = parse_options(ps_args)
    if not container.state.is_running or container.cgroup is None:
        raise NotRunning(container.id)
    rows = await run_blocking(processes, container.cgroup, view)
    announce(engine, container, "top")
    return {"Titles": [column.title for column in view.columns], "Processes": rows}


def processes(cgroup: Cgroup, view: View) -> list[list[str]]:
    """Return a row for each process of a control group that the view wants. Blocks."""
    found = [p for p in read_processes(cgroup.processes(), threads=view.threads) if _wanted(p, view)]
    for key in reversed(view.order):
        write = COLUMNS[key.lstrip("+-")].write
        found.sort(key=lambda p: _sortable(write(p)), reverse=key.startswith("-"))
    return [[column.write(process) for column in view.columns] for process in found]


def _wanted(process: Process, view: View) -> bool:
    """Choices are alternatives; users can be given by number."""
    if not view.choice:
        return True
    return any(
        not wanted.isdisjoint((COLUMNS[name].write(process), *_numbers(process, name)))
        for name, wanted in view.choice.items()
    )


def _numbers(process: Process, name: str) -> tuple[str, ...]:
    return (str(process.ids("Uid")[name == "user"]),) if name in ("user", "ruser") else ()


def _sortable(text: str) -> tuple[bool, float, str]:
    try:
        return False, float(text), ""
    except ValueError:
        return True, 0.0, text
