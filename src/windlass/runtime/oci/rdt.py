"""Intel RDT: a container's share of the caches and of memory bandwidth, as a resctrl group.

Source: runtime-spec config-linux.md, "IntelRdt"; Linux Documentation/arch/x86/resctrl.rst.
"""

from __future__ import annotations

import os

from windlass.base.errors import InvalidParameter, NotSupported, System

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.log import Log
    from windlass.spec.runtime import IntelRdt

_PREFIX_L3 = "L3:"
_PREFIX_BANDWIDTH = "MB:"


def resctrl_root() -> str:
    """Return where resctrl is mounted.

    Raises:
        NotSupported: nowhere; the hardware or the kernel does not have it, or nobody asked for it.
    """
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split(" ")
            if len(fields) > 2 and fields[2] == "resctrl":
                return fields[1]
    raise NotSupported("intelRdt: no resctrl file system is mounted on this host")


def group_name(rdt: IntelRdt | None, container_id: str) -> str:
    """Return the group that the container makes itself, and so removes; empty when it uses one that is there.

    Raises:
        InvalidParameter: a name that leaves the file system.
        NotSupported: there is no resctrl.
    """
    if rdt is None:
        return ""
    root = resctrl_root()
    if not rdt.clos_id:
        return container_id
    if "/" in rdt.clos_id or rdt.clos_id in (".", ".."):
        raise InvalidParameter(f"intelRdt: invalid closID {rdt.clos_id}")
    # A class of service that an administrator made stays when the container goes.
    return "" if os.path.isdir(f"{root}/{rdt.clos_id}") else rdt.clos_id


def make_group(rdt: IntelRdt, container_id: str) -> None:
    """Make the group, or check that the one that is there has what is asked for.

    Raises:
        System: the kernel refused a schema; the text has the file and the value.
        InvalidParameter: a group of that name is there and has another schema.
    """
    path = f"{resctrl_root()}/{rdt.clos_id or container_id}"
    schemata = _schemata(rdt)
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        if not rdt.clos_id:
            raise System(f"intelRdt: {path} exists already") from None
        _check_same(path, schemata)
        return
    except OSError as error:
        raise System(f"intelRdt: make {path}: {error.strerror}") from None
    for line in schemata:
        _write(f"{path}/schemata", line)


def add_process(rdt: IntelRdt, container_id: str, pid: int) -> None:
    """Put the container's first process into its group.

    Raises:
        System: the kernel refused.
    """
    path = f"{resctrl_root()}/{rdt.clos_id or container_id}"
    _write(f"{path}/tasks", str(pid))
    if rdt.enable_monitoring:
        monitor = f"{path}/mon_groups/{container_id}"
        try:
            os.mkdir(monitor, 0o755)
        except FileExistsError:
            pass
        _write(f"{monitor}/tasks", str(pid))


def change_group(name: str, l3_schema: str, bandwidth_schema: str) -> None:
    """Write new schemas (`update`)."""
    path = f"{resctrl_root()}/{name}/schemata"
    for line in filter(None, (l3_schema, bandwidth_schema)):
        _write(path, line)


def remove_group(name: str, log: Log) -> None:
    """Remove a group that was made for a container; what is gone is fine."""
    try:
        path = f"{resctrl_root()}/{name}"
        monitors = f"{path}/mon_groups"
        for monitor in os.listdir(monitors) if os.path.isdir(monitors) else ():
            os.rmdir(f"{monitors}/{monitor}")
        os.rmdir(path)
    except FileNotFoundError:
        return
    except (OSError, NotSupported) as error:
        log.warn(f"intelRdt: remove {name}: {error}")


def _schemata(rdt: IntelRdt) -> list[str]:
    if rdt.l3_cache_schema and rdt.mem_bw_schema.startswith(_PREFIX_L3):
        raise InvalidParameter("intelRdt: memBwSchema must not name L3")
    lines = [line for line in rdt.l3_cache_schema.splitlines() if not line.startswith(_PREFIX_BANDWIDTH)]
    return [*lines, *filter(None, [rdt.mem_bw_schema]), *rdt.schemata]


def _check_same(path: str, schemata: list[str]) -> None:
    with open(f"{path}/schemata", encoding="ascii") as file:
        present = {"".join(line.split()) for line in file}
    for line in schemata:
        if "".join(line.split()) not in present:
            raise InvalidParameter(f"intelRdt: {path} exists and its schemata are not {line!r}")


def _write(path: str, value: str) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, f"{value}\n".encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise System(f"intelRdt: write {value!r} to {path}: {error.strerror}") from None
