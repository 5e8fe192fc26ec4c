"""Sections of `linux` that few bundles have: clocks, interfaces, execution domain, NUMA policy, cache allocation.

Source: runtime-spec config-linux.md; time_namespaces(7), personality(2), set_mempolicy(2).
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault, escaped, shown, unsupported
from windlass.runtime.oci.validate_scheduling import check_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.runtime import IntelRdt, Linux, MemoryPolicy

_CLOCKS = ("boottime", "monotonic")
_NANOSECONDS = 1_000_000_000
_WITHOUT_NODES = frozenset({"MPOL_DEFAULT", "MPOL_LOCAL"})
_WITH_NODES = frozenset({"MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY"})
_MAX_INTERFACE = 15


def check_rare(linux: Linux, own: frozenset[str]) -> None:
    """Check the rare sections; `own` are the namespaces that are not the runtime's.

    Raises:
        Fault: the first rule that is broken.
    """
    if linux.time_offsets:
        _time_offsets(linux)
    if linux.net_devices:
        _net_devices(linux, own)
    if linux.personality is not None and linux.personality.flags:
        raise unsupported("/linux/personality/flags/0", "there are no flags")
    if linux.memory_policy is not None:
        _memory_policy(linux.memory_policy)
    if linux.intel_rdt is not None:
        _intel_rdt(linux.intel_rdt)


def _time_offsets(linux: Linux) -> None:
    namespace = next((namespace for namespace in linux.namespaces if namespace.type == "time"), None)
    if namespace is None or namespace.path:
        raise Fault("/linux/timeOffsets", "needs a new time namespace in /linux/namespaces")
    for clock, offset in linux.time_offsets.items():
        if clock not in _CLOCKS:
            raise Fault(f"/linux/timeOffsets/{escaped(clock)}", f"unknown clock {shown(clock)}")
        if offset.nanosecs >= _NANOSECONDS:
            raise Fault(f"/linux/timeOffsets/{clock}/nanosecs", f"{offset.nanosecs} is a second or more")


def _net_devices(linux: Linux, own: frozenset[str]) -> None:
    if "network" not in own:
        raise Fault("/linux/netDevices", "needs a network namespace of the container's own")
    names: set[str] = set()
    for device, wish in linux.net_devices.items():
        at = f"/linux/netDevices/{escaped(device)}"
        name = wish.name or device
        if not _is_interface(device):
            raise Fault(at, f"{shown(device)} is no name of an interface")
        if not _is_interface(name):
            raise Fault(f"{at}/name", f"{shown(name)} is no name of an interface")
        if name in names:
            raise Fault(f"{at}/name", f"{shown(name)} is the name of another one")
        names.add(name)


def _is_interface(name: str) -> bool:
    """Source: Linux, dev_valid_name() in net/core/dev.c."""
    odd = any(letter in "/:" or letter.isspace() for letter in name)
    return 0 < len(name.encode()) <= _MAX_INTERFACE and name not in (".", "..") and not odd


def _memory_policy(policy: MemoryPolicy) -> None:
    at = "/linux/memoryPolicy"
    check_list(policy.nodes, f"{at}/nodes")
    if policy.nodes and policy.mode in _WITHOUT_NODES:
        raise Fault(f"{at}/nodes", f"{policy.mode} takes no nodes")
    if not policy.nodes and policy.mode in _WITH_NODES:
        raise Fault(f"{at}/nodes", f"is required for {policy.mode}")
    if {"MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"} <= set(policy.flags):
        place = policy.flags.index("MPOL_F_RELATIVE_NODES")
        raise Fault(f"{at}/flags/{place}", "MPOL_F_RELATIVE_NODES contradicts MPOL_F_STATIC_NODES")


def _intel_rdt(rdt: IntelRdt) -> None:
    at = "/linux/intelRdt"
    if "/" in rdt.clos_id or rdt.clos_id in (".", "..") or "\n" in rdt.clos_id:
        raise Fault(f"{at}/closID", f"{shown(rdt.clos_id)} is not one component of a path")
    if rdt.mem_bw_schema and (not rdt.mem_bw_schema.startswith("MB:") or "\n" in rdt.mem_bw_schema):
        raise Fault(f"{at}/memBwSchema", "must be one line that starts with MB:")
    for index, line in enumerate(rdt.schemata):
        if "\n" in line:
            raise Fault(f"{at}/schemata/{index}", "must be one line")
    for name, wanted in (("enableCMT", rdt.enable_cmt), ("enableMBM", rdt.enable_mbm)):
        if wanted:
            raise unsupported(f"{at}/{name}", "is not supported; enableMonitoring counts both")
