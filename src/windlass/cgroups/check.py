"""Ranges of limits: what no kernel would take is refused before anything is written.

Source: runtime-spec config-linux.md, "Control groups"; Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst;
kernel/sched/core.c, tg_set_cfs_bandwidth(); include/linux/kdev_t.h (device numbers of 12 and 20 bits).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.cgroups.convert import BLKIO_MAX, BLKIO_MIN, SHARES_MAX, SHARES_MIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.resources import (
        LinuxBlockIo,
        LinuxCpu,
        LinuxDeviceCgroup,
        LinuxMemory,
        LinuxNetworkResources,
        LinuxResources,
    )

_U32, _S64, _U64 = (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1
_MAJOR_MAX, _MINOR_MAX = (1 << 12) - 1, (1 << 20) - 1
_CFS_MIN_US, _CFS_PERIOD_MAX_US = 1000, 1_000_000
_LIST_CHARACTERS = frozenset("0123456789,- ")
_SIZE_UNITS = ("KB", "MB", "GB")


def check_resources(resources: LinuxResources) -> None:
    """Check every number and word.

    Raises:
        InvalidParameter: one is out of range; the text starts with its JSON pointer in config.json.
    """
    for number, rule in enumerate(resources.devices):
        _device(f"/devices/{number}", rule)
    if resources.pids is not None:
        _within("/pids/limit", resources.pids.limit, -1, _S64)
    if resources.memory is not None:
        _memory(resources.memory)
    if resources.cpu is not None:
        _cpu(resources.cpu)
    if resources.block_io is not None:
        _block_io(resources.block_io)
    for number, page in enumerate(resources.hugepage_limits):
        size, unit = page.page_size[:-2], page.page_size[-2:]
        if unit not in _SIZE_UNITS or not size.isdecimal() or not size.isascii():
            _refuse(f"/hugepageLimits/{number}/pageSize", page.page_size, "a size such as 2MB")
        _within(f"/hugepageLimits/{number}/limit", page.limit, 0, _U64)
    if resources.network is not None:
        _network(resources.network)
    for device, limits in resources.rdma.items():
        _word(f"/rdma/{device}", device)
        if limits.hca_handles is None and limits.hca_objects is None:
            _refuse(f"/rdma/{device}", "{}", "hcaHandles or hcaObjects")
        _within(f"/rdma/{device}/hcaHandles", limits.hca_handles, 0, _U32)
        _within(f"/rdma/{device}/hcaObjects", limits.hca_objects, 0, _U32)


def _refuse(field: str, value: object, wanted: str) -> None:
    raise InvalidParameter(f"/linux/resources{field}: {value!r} is not {wanted}")


def _within(field: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        _refuse(field, value, f"between {low} and {high}")


def _word(field: str, text: str) -> None:
    """A name that stands in a control file before a space: of a device, of an interface."""
    if not text or not text.isprintable() or " " in text or "/" in text or len(text) > 63:
        _refuse(field, text, "a name")


def _device(field: str, rule: LinuxDeviceCgroup) -> None:
    if rule.type not in ("", "a", "b", "c"):
        _refuse(f"{field}/type", rule.type, "a, b or c")
    _within(f"{field}/major", rule.major, -1, _MAJOR_MAX)
    _within(f"{field}/minor", rule.minor, -1, _MINOR_MAX)
    if not set(rule.access) <= set("rwm"):
        _refuse(f"{field}/access", rule.access, "made of r, w and m")


def _memory(memory: LinuxMemory) -> None:
    for name, value in (("limit", memory.limit), ("reservation", memory.reservation), ("swap", memory.swap)):
        _within(f"/memory/{name}", value, -1, _S64)
    for name, value in (("kernel", memory.kernel), ("kernelTCP", memory.kernel_tcp)):
        _within(f"/memory/{name}", value, -1, _S64)
    _within("/memory/swappiness", memory.swappiness, 0, 100)
    if memory.limit and memory.limit > 0 and memory.swap and 0 < memory.swap < memory.limit:
        _refuse("/memory/swap", memory.swap, "at least the memory limit, which it includes")


def _cpu(cpu: LinuxCpu) -> None:
    if cpu.shares and cpu.shares < SHARES_MIN:
        raise InvalidParameter(f"/linux/resources/cpu/shares: the minimum allowed cpu-shares is {SHARES_MIN}")
    if cpu.shares and cpu.shares > SHARES_MAX:
        raise InvalidParameter(f"/linux/resources/cpu/shares: the maximum allowed cpu-shares is {SHARES_MAX}")
    if cpu.quota and cpu.quota != -1:
        _within("/cpu/quota", cpu.quota, _CFS_MIN_US, _S64 // 1000)
    if cpu.period:
        _within("/cpu/period", cpu.period, _CFS_MIN_US, _CFS_PERIOD_MAX_US)
    _within("/cpu/burst", cpu.burst, 0, _S64 // 1000)
    if cpu.burst and cpu.quota and 0 < cpu.quota < cpu.burst:
        _refuse("/cpu/burst", cpu.burst, "at most the quota")
    _within("/cpu/idle", cpu.idle, 0, 1)
    _within("/cpu/realtimePeriod", cpu.realtime_period, 0, _U32)
    _within("/cpu/realtimeRuntime", cpu.realtime_runtime, -1, _U32)
    for name, text in (("cpus", cpu.cpus), ("mems", cpu.mems)):
        if not set(text) <= _LIST_CHARACTERS:
            _refuse(f"/cpu/{name}", text, "a list such as 0-3,6")


def _block_io(block_io: LinuxBlockIo) -> None:
    _weight("/blockIO/weight", block_io.weight)
    _weight("/blockIO/leafWeight", block_io.leaf_weight)
    for number, device in enumerate(block_io.weight_device):
        field = f"/blockIO/weightDevice/{number}"
        _numbers(field, device.major, device.minor)
        _weight(f"{field}/weight", device.weight)
        _weight(f"{field}/leafWeight", device.leaf_weight)
    for word, throttles in (
        ("ReadBps", block_io.throttle_read_bps_device),
        ("WriteBps", block_io.throttle_write_bps_device),
        ("ReadIOPS", block_io.throttle_read_iops_device),
        ("WriteIOPS", block_io.throttle_write_iops_device),
    ):
        for number, throttle in enumerate(throttles):
            field = f"/blockIO/throttle{word}Device/{number}"
            _numbers(field, throttle.major, throttle.minor)
            _within(f"{field}/rate", throttle.rate, 0, _U64)


def _weight(field: str, weight: int | None) -> None:
    if weight:
        _within(field, weight, BLKIO_MIN, BLKIO_MAX)


def _numbers(field: str, major: int, minor: int) -> None:
    _within(f"{field}/major", major, 0, _MAJOR_MAX)
    _within(f"{field}/minor", minor, 0, _MINOR_MAX)


def _network(network: LinuxNetworkResources) -> None:
    _within("/network/classID", network.class_id, 0, _U32)
    for number, entry in enumerate(network.priorities):
        _word(f"/network/priorities/{number}/name", entry.name)
        _within(f"/network/priorities/{number}/priority", entry.priority, 0, _U32)
