"""Limits of control groups: what no kernel would take. What this host's kernel takes, its files tell.

Source: runtime-spec config-linux.md, "Control groups" and below.
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault, escaped, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.resources import LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxNetworkResources, LinuxResources

_MAX_INTERFACE = 15
_THROTTLES = {
    "throttle_read_bps_device": "throttleReadBpsDevice",
    "throttle_write_bps_device": "throttleWriteBpsDevice",
    "throttle_read_iops_device": "throttleReadIOPSDevice",
    "throttle_write_iops_device": "throttleWriteIOPSDevice",
}


def check_resources(resources: LinuxResources, at: str) -> None:
    """Check all limits; `at` is their pointer.

    Raises:
        Fault: the first rule that is broken.
    """
    for index, rule in enumerate(resources.devices):
        if rule.type not in ("", "a", "b", "c"):
            raise Fault(f"{at}/devices/{index}/type", f"{shown(rule.type)} is neither a, b nor c")
        if not set(rule.access) <= set("rwm"):
            raise Fault(f"{at}/devices/{index}/access", f"{shown(rule.access)} is not made of r, w and m")
        for name, number in (("major", rule.major), ("minor", rule.minor)):
            if number is not None and not -1 <= number < 1 << 32:
                raise Fault(f"{at}/devices/{index}/{name}", f"{number} is not between -1 and {(1 << 32) - 1}")
    if resources.memory is not None:
        _memory(resources.memory, f"{at}/memory")
    if resources.cpu is not None:
        _cpu(resources.cpu, f"{at}/cpu")
    if resources.block_io is not None:
        _block_io(resources.block_io, f"{at}/blockIO")
    for index, limit in enumerate(resources.hugepage_limits):
        if not _is_page_size(limit.page_size):
            raise Fault(f"{at}/hugepageLimits/{index}/pageSize", f"{shown(limit.page_size)} is not a size such as 2MB")
    if resources.network is not None:
        _network(resources.network, f"{at}/network")
    _tables(resources, at)


def _memory(memory: LinuxMemory, at: str) -> None:
    for name, value in (
        ("limit", memory.limit),
        ("reservation", memory.reservation),
        ("swap", memory.swap),
        ("kernel", memory.kernel),
        ("kernelTCP", memory.kernel_tcp),
    ):
        if value is not None and value < -1:
            raise Fault(f"{at}/{name}", f"{value} is neither a number of bytes nor -1")
    if memory.swappiness is not None and memory.swappiness > 100:
        raise Fault(f"{at}/swappiness", f"{memory.swappiness} is not between 0 and 100")
    swap, limit = memory.swap or 0, memory.limit or 0
    if 0 < swap < limit:
        raise Fault(f"{at}/swap", f"{swap} is below the limit {limit}; it counts memory and swap together")


def _cpu(cpu: LinuxCpu, at: str) -> None:
    from windlass.runtime.oci.validate_scheduling import check_list

    if cpu.cpus:
        check_list(cpu.cpus, f"{at}/cpus")
    if cpu.mems:
        check_list(cpu.mems, f"{at}/mems")
    if cpu.idle not in (None, 0, 1):
        raise Fault(f"{at}/idle", f"{cpu.idle} is neither 0 nor 1")
    for name, value in (("quota", cpu.quota), ("realtimeRuntime", cpu.realtime_runtime)):
        if value is not None and value < -1:
            raise Fault(f"{at}/{name}", f"{value} is neither a number of microseconds nor -1")
    if cpu.burst and cpu.quota is not None and 0 < cpu.quota < cpu.burst:
        raise Fault(f"{at}/burst", f"{cpu.burst} is above the quota {cpu.quota}")


def _block_io(block_io: LinuxBlockIo, at: str) -> None:
    for index, weight in enumerate(block_io.weight_device):
        place = f"{at}/weightDevice/{index}"
        _device(weight.major, weight.minor, place)
        if weight.weight is None and weight.leaf_weight is None:
            raise Fault(f"{place}/weight", "is required where there is no leafWeight")
    for name, member in _THROTTLES.items():
        for index, throttle in enumerate(getattr(block_io, name)):
            _device(throttle.major, throttle.minor, f"{at}/{member}/{index}")


def _device(major: int, minor: int, at: str) -> None:
    for name, number in (("major", major), ("minor", minor)):
        if not 0 <= number < 1 << 32:
            raise Fault(f"{at}/{name}", f"{number} is not between 0 and {(1 << 32) - 1}")


def _is_page_size(text: str) -> bool:
    digits, unit = text[:-2], text[-2:]
    return unit in ("KB", "MB", "GB") and digits.isdecimal() and digits.isascii() and digits[0] != "0"


def _network(network: LinuxNetworkResources, at: str) -> None:
    for index, priority in enumerate(network.priorities):
        name = priority.name
        if not 0 < len(name.encode()) <= _MAX_INTERFACE or any(letter.isspace() for letter in name):
            raise Fault(f"{at}/priorities/{index}/name", f"{shown(name)} is no name of an interface")


def _tables(resources: LinuxResources, at: str) -> None:
    """Check what is named by keys: words that go into kernel files, and names of files."""
    for device, limits in resources.rdma.items():
        place = f"{at}/rdma/{escaped(device)}"
        if not device or any(letter.isspace() for letter in device):
            raise Fault(place, f"{shown(device)} is no name of a device")
        if limits.hca_handles is None and limits.hca_objects is None:
            raise Fault(f"{place}/hcaHandles", "is required where there are no hcaObjects")
    for file in resources.unified:
        controller, _, parameter = file.partition(".")
        if "/" in file or not controller or not parameter:
            raise Fault(
                f"{at}/unified/{escaped(file)}", f"{shown(file)} is not a file of the form CONTROLLER.PARAMETER"
            )
