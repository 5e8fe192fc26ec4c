"""Checking limits: what contradicts itself is refused, what the host cannot do is dropped with a warning.

The texts are Docker's; its clients and their users know them.

Source: Docker Engine API, Resources.
"""

from __future__ import annotations

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.runtime.cpu_lists import check_available
from windlass.runtime.intent import HostFacts
from windlass.spec.container import HostConfig

_MIN_MEMORY = 6 * 1024 * 1024
_NANO = 1_000_000_000
_MIN_SHARES, _MAX_SHARES = 2, 262_144
_NOT_MOUNTED = "or the cgroup is not mounted."


class Draft:
    """A host configuration under correction, with the warnings so far."""

    def __init__(self, host_config: HostConfig) -> None:
        self.host = host_config
        self.warnings: list[str] = []

    def drop(self, warning: str, **values: object) -> None:
        """Give fields other values and say why."""
        self.warnings.append(warning)
        self.host = msgspec.structs.replace(self.host, **values)


def check_resources(draft: Draft, facts: HostFacts, *, update: bool = False) -> None:
    """Check and correct all limits of `draft`.

    Raises:
        InvalidParameter: in Docker's words.
    """
    if draft.host.memory_swappiness == -1:
        draft.host = msgspec.structs.replace(draft.host, memory_swappiness=None)
    _memory(draft, facts, update=update)
    _memory_extras(draft, facts)
    _pids(draft, facts)
    _cpu(draft, facts)
    _cpu_bandwidth(draft, facts)
    _realtime(draft.host, facts)
    _cpuset(draft, facts)
    _block_io(draft, facts)


def _memory(draft: Draft, facts: HostFacts, *, update: bool) -> None:
    if draft.host.memory != 0 and draft.host.memory < _MIN_MEMORY:
        raise InvalidParameter("Minimum memory limit allowed is 6MB")
    if draft.host.memory > 0 and "memory" not in facts.controllers:
        draft.drop(
            f"Your kernel does not support memory limit capabilities {_NOT_MOUNTED} Limitation discarded.",
            memory=0,
            memory_swap=-1,
        )
    host = draft.host
    if host.memory > 0 and host.memory_swap != -1 and "swap" not in facts.features:
        draft.drop(
            f"Your kernel does not support swap limit capabilities {_NOT_MOUNTED} Memory limited without swap.",
            memory_swap=-1,
        )
    host = draft.host
    if 0 < host.memory_swap < host.memory:
        raise InvalidParameter("Minimum memoryswap limit should be larger than memory limit, see usage")
    if host.memory == 0 and host.memory_swap > 0 and not update:
        raise InvalidParameter("You should always set the Memory limit when using Memoryswap limit, see usage")


def _memory_extras(draft: Draft, facts: HostFacts) -> None:
    if draft.host.memory_swappiness is not None and "swappiness" not in facts.features:
        draft.drop(
            f"Your kernel does not support memory swappiness capabilities {_NOT_MOUNTED} Memory swappiness discarded.",
            memory_swappiness=None,
        )
    swappiness = draft.host.memory_swappiness
    if swappiness is not None and not 0 <= swappiness <= 100:
        raise InvalidParameter(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")
    if draft.host.memory_reservation > 0 and "memory" not in facts.controllers:
        draft.drop(
            f"Your kernel does not support memory soft limit capabilities {_NOT_MOUNTED} Limitation discarded.",
            memory_reservation=0,
        )
    host = draft.host
    if 0 < host.memory_reservation < _MIN_MEMORY:
        raise InvalidParameter("Minimum memory reservation allowed is 6MB")
    if 0 < host.memory < host.memory_reservation:
        raise InvalidParameter("Minimum memory limit can not be less than memory reservation limit, see usage")
    if host.kernel_memory > 0:
        # Deprecated since Linux 5.4, and refused by the kernels after.
        draft.drop(
            f"Your kernel does not support kernel memory limit capabilities {_NOT_MOUNTED} Limitation discarded.",
            kernel_memory=0,
        )
    if host.oom_kill_disable and "oom_control" not in facts.features:
        draft.drop("Your kernel does not support OomKillDisable. OomKillDisable discarded.", oom_kill_disable=None)
    elif host.oom_kill_disable and host.memory == 0:
        draft.warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system"
            " running out of resources."
        )


def _pids(draft: Draft, facts: HostFacts) -> None:
    limit = draft.host.pids_limit
    if limit is not None and limit > 0 and "pids" not in facts.controllers:
        draft.drop(
            f"Your kernel does not support PIDs limit capabilities {_NOT_MOUNTED} PIDs limit discarded.",
            pids_limit=None,
        )


def _cpu(draft: Draft, facts: HostFacts) -> None:
    host = draft.host
    if host.nano_cpus > 0 and host.cpu_period > 0:
        raise InvalidParameter("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if host.nano_cpus > 0 and host.cpu_quota > 0:
        raise InvalidParameter("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if host.nano_cpus > 0 and "cfs" not in facts.features:
        raise InvalidParameter(
            "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted"
        )
    count = facts.cpu_count
    if not 0 <= host.nano_cpus <= count * _NANO:
        raise InvalidParameter(f"Range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available")
    if host.cpu_shares < 0:
        raise InvalidParameter("shares: invalid argument")
    if host.cpu_shares > 0 and "cpu" not in facts.controllers:
        draft.drop(f"Your kernel does not support CPU shares {_NOT_MOUNTED} Shares discarded.", cpu_shares=0)
    elif host.cpu_shares > 0:
        shares = min(max(host.cpu_shares, _MIN_SHARES), _MAX_SHARES)
        draft.host = msgspec.structs.replace(draft.host, cpu_shares=shares)


def _cpu_bandwidth(draft: Draft, facts: HostFacts) -> None:
    if (draft.host.cpu_period or draft.host.cpu_quota) and "cfs" not in facts.features:
        draft.drop(
            "Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.", cpu_period=0, cpu_quota=0
        )
    host = draft.host
    if host.cpu_period and not 1000 <= host.cpu_period <= 1_000_000:
        raise InvalidParameter("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < host.cpu_quota < 1000:
        raise InvalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    if host.cpu_percent > 0:
        draft.drop("linux does not support CPU percent. Percent discarded.", cpu_percent=0)


def _realtime(host: HostConfig, facts: HostFacts) -> None:
    runtime_us, period_us = host.cpu_realtime_runtime, host.cpu_realtime_period
    if (runtime_us or period_us) and "realtime" not in facts.features:
        raise InvalidParameter("kernel does not support CPU real-time scheduler")
    if 0 < period_us < runtime_us:
        raise InvalidParameter("cpu real-time runtime cannot be higher than cpu real-time period")


def _cpuset(draft: Draft, facts: HostFacts) -> None:
    if (draft.host.cpuset_cpus or draft.host.cpuset_mems) and "cpuset" not in facts.controllers:
        draft.drop(
            f"Your kernel does not support cpuset {_NOT_MOUNTED} Cpuset discarded.", cpuset_cpus="", cpuset_mems=""
        )
    check_available(draft.host.cpuset_cpus, facts.cpus, kind="cpus", words="CPUs")
    check_available(draft.host.cpuset_mems, facts.mems, kind="mems", words="memory nodes")


def _block_io(draft: Draft, facts: HostFacts) -> None:
    if draft.host.blkio_weight > 0 and "bfq" not in facts.features:
        draft.drop(f"Your kernel does not support Block I/O weight {_NOT_MOUNTED} Weight discarded.", blkio_weight=0)
    host = draft.host
    if host.blkio_weight and not 10 <= host.blkio_weight <= 1000:
        raise InvalidParameter("Range of blkio weight is from 10 to 1000")
    if host.io_maximum_bandwidth or host.io_maximum_iops:
        raise InvalidParameter("Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps")
    if host.blkio_weight_device and "bfq_device" not in facts.features:
        draft.drop(
            f"Your kernel does not support Block I/O weight_device {_NOT_MOUNTED} Weight-device discarded.",
            blkio_weight_device=[],
        )
    if not facts.controllers & {"blkio", "io"}:
        _drop_throttles(draft)


def _drop_throttles(draft: Draft) -> None:
    for field, unit, way in (
        ("blkio_device_read_bps", "BPS", "read"),
        ("blkio_device_write_bps", "BPS", "write"),
        ("blkio_device_read_iops", "IOPS", "read"),
        ("blkio_device_write_iops", "IOPS", "write"),
    ):
        if getattr(draft.host, field):
            block = "Block I/O" if unit == "BPS" or way == "write" else "Block"
            warning = (
                f"Your kernel does not support {unit} {block} {way} limit {_NOT_MOUNTED}"
                f" Block I/O {unit} {way} limit discarded."
            )
            draft.drop(warning, **{field: []})
