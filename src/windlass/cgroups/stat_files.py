"""Figures that v1 and v2 write in the same way.

Source: Documentation/accounting/psi.rst; Documentation/admin-guide/cgroup-v1/rdma.rst, hugetlb.rst.
"""

from __future__ import annotations

import os

from windlass.cgroups import control
from windlass.cgroups.figures import Counter, Pressure, PressureLine, RdmaEntry

_HUGE_PAGES = "/sys/kernel/mm/hugepages"
_UNITS = ((1 << 20, "GB"), (1 << 10, "MB"), (1, "KB"))


def read_pressure(path: str) -> Pressure | None:
    """Read a `*.pressure` file; None where the kernel does not measure it."""
    lines = {}
    for line in control.read(path).splitlines():
        kind, _, rest = line.partition(" ")
        lines[kind] = _pressure_line(rest)
    if "some" not in lines:
        return None
    return Pressure(lines["some"], lines.get("full", PressureLine()))


def _pressure_line(text: str) -> PressureLine:
    values = dict(word.split("=", 1) for word in text.split() if "=" in word)
    try:
        avg10, avg60, avg300 = (float(values.get(key, "0")) for key in ("avg10", "avg60", "avg300"))
        return PressureLine(avg10, avg60, avg300, int(values.get("total", "0")))
    except ValueError:
        return PressureLine()


def read_rdma(path: str) -> tuple[RdmaEntry, ...]:
    """Read rdma.max or rdma.current: `mlx4_0 hca_handle=2 hca_object=max`."""
    entries = []
    for line in control.read(path).splitlines():
        device, *words = line.split()
        values = dict(word.split("=", 1) for word in words if "=" in word)
        entries.append(RdmaEntry(device, _amount(values.get("hca_handle")), _amount(values.get("hca_object"))))
    return tuple(entries)


def _amount(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else -1


def read_counter(directory: str, usage: str, max_usage: str, limit: str, failures: str = "") -> Counter:
    """Read the files of one limited amount; those that are missing are 0."""
    return Counter(
        control.read_int(f"{directory}/{usage}"),
        control.read_int(f"{directory}/{max_usage}"),
        control.read_int(f"{directory}/{limit}"),
        control.read_int(f"{directory}/{failures}") if failures else 0,
    )


def page_sizes() -> list[str]:
    """List the sizes of huge pages as control files are named: `2MB`, `1GB`.

    Source: mm/hugetlb_cgroup.c, mem_fmt().
    """
    try:
        names = sorted(os.listdir(_HUGE_PAGES))
    except OSError:
        return []
    return [page_size(int(name[10:-2])) for name in names if name.startswith("hugepages-") and name[10:-2].isdecimal()]


def page_size(kib: int) -> str:
    """Name a size: 2048 is `2MB`."""
    for factor, unit in _UNITS:
        if kib >= factor:
            return f"{kib // factor}{unit}"
    return "0KB"
