"""Handing controllers down the tree of cgroup v2, and saying why one did not arrive.

Source: Documentation/admin-guide/cgroup-v2.rst, "Controlling Controllers", "No Internal Process Constraint", "Threads".
"""

from __future__ import annotations

from windlass.cgroups import control
from windlass.cgroups.model import CgroupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.cgroups.model import CgroupHost


def hand_down_to(host: CgroupHost, parent: str) -> None:
    """Enable every available controller for the children of each group from the root to `parent`, which are made."""
    for directory in _from_the_root(host, parent):
        control.make_directory(directory, exist_ok=True)
        _hand_down(directory, host)


def _from_the_root(host: CgroupHost, name: str) -> Iterator[str]:
    above = host.root
    yield above
    for part in filter(None, name.split("/")):
        above = f"{above}/{part}"
        yield above


def _hand_down(directory: str, host: CgroupHost) -> None:
    """Enable all at once, or each on its own so that one refusal costs only that one.

    A group that has processes of its own is left alone: it refuses most controllers ("no internal processes"), and the
    others would turn it into a threaded domain. What is missing then shows where somebody wants it, see
    `why_not_enabled`.
    """
    path = f"{directory}/cgroup.subtree_control"
    enabled = control.read(path).split()
    available = control.read(f"{directory}/cgroup.controllers").split()
    missing = [name for name in available if name not in enabled and host.has(name)]
    if not missing or _processes_of_its_own(directory):
        return
    try:
        control.write(path, " ".join(f"+{name}" for name in missing))
    except CgroupError:
        for name in missing:
            try:
                control.write(path, f"+{name}")
            except CgroupError:
                continue


def _processes_of_its_own(directory: str) -> list[str]:
    """List the pids in a group itself; the root of all, which may have some, has no type."""
    if not control.read(f"{directory}/cgroup.type"):
        return []
    return control.read(f"{directory}/cgroup.procs").split()


def why_not_enabled(host: CgroupHost, name: str, controller: str) -> str:
    """Find the group above `name` that does not hand `controller` down, and why."""
    parents = list(_from_the_root(host, name))[:-1]
    for directory in parents:
        if controller in control.read(f"{directory}/cgroup.subtree_control").split():
            continue
        reason = f"the {controller} controller cannot be enabled for the groups below {directory}"
        if pids := _processes_of_its_own(directory):
            return f"{reason}: it has {len(pids)} process(es) of its own, which cgroup v2 does not allow"
        try:
            control.write(f"{directory}/cgroup.subtree_control", f"+{controller}")
        except CgroupError as error:
            return f"{reason}: {error}"
    return f"the {controller} controller is not available"


def refuse_threaded(directory: str) -> None:
    """Check that a fresh group may have whole processes and all controllers.

    Raises:
        CgroupError: a group above is threaded.
    """
    kind = control.read(f"{directory}/cgroup.type").strip()
    if kind == "threaded":
        text = f"cannot enter cgroupv2 {directory} with domain controllers -- it is in threaded mode"
    elif kind == "domain invalid":
        text = f"cannot enter cgroupv2 {directory} with domain controllers -- it is in an invalid state"
    else:
        return
    raise CgroupError(text, f"{directory}/cgroup.type", kind)
