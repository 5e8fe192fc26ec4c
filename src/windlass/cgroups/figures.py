"""What control groups measure, the same on v1 and v2 as far as the kernel measures the same.

A figure that the host does not have is 0, an empty table or None.

Source: Documentation/admin-guide/cgroup-v1/, Documentation/admin-guide/cgroup-v2.rst, Documentation/accounting/psi.rst.
"""

from __future__ import annotations

from windlass.spec import struct


class PressureLine(struct.Struct, frozen=True):
    """How long tasks waited: percentages of the last 10, 60 and 300 seconds, `total_us` since the start."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total_us: int = 0


class Pressure(struct.Struct, frozen=True):
    """Pressure stall information: `some` task waited, or `full`: all of them did."""

    some: PressureLine = PressureLine()
    full: PressureLine = PressureLine()


class CpuStats(struct.Struct, frozen=True):
    """CPU time in nanoseconds, throttling and bursts counted in periods and nanoseconds; per CPU on v1 only."""

    usage_ns: int = 0
    user_ns: int = 0
    system_ns: int = 0
    periods: int = 0
    throttled_periods: int = 0
    throttled_ns: int = 0
    bursts: int = 0
    burst_ns: int = 0
    per_cpu_ns: tuple[int, ...] = ()
    per_cpu_user_ns: tuple[int, ...] = ()
    per_cpu_system_ns: tuple[int, ...] = ()
    pressure: Pressure | None = None


class Counter(struct.Struct, frozen=True):
    """A limited amount: now, at most so far, the limit (0: none), and how often it was hit."""

    usage: int = 0
    max_usage: int = 0
    limit: int = 0
    failures: int = 0


class MemoryStats(struct.Struct, frozen=True):
    """Memory in bytes; `limit` is 0 when there is none. `stat` are the kernel's own figures, `events` those of v2.

    `swap` counts memory and swap together, as `LinuxMemory.swap` does, `swap_only` swap alone (v2). `kernel` and
    `kernel_tcp` are parts of `usage`.
    """

    usage: int = 0
    max_usage: int = 0
    limit: int = 0
    failures: int = 0
    oom_kills: int = 0
    stat: dict[str, int] = {}
    events: dict[str, int] = {}
    swap: Counter = Counter()
    swap_only: Counter = Counter()
    kernel: Counter = Counter()
    kernel_tcp: Counter = Counter()
    hierarchical: bool = False
    under_oom: bool = False
    oom_kill_disabled: bool = False
    pressure: Pressure | None = None


class BlockEntry(struct.Struct, frozen=True):
    """One figure of one block device; `op` is `read`, `write`, `sync`, `async`, `discard` or empty."""

    major: int
    minor: int
    op: str
    value: int


class BlockStats(struct.Struct, frozen=True):
    """Block I/O, groups below included. All but `bytes` and `operations` need BFQ and v1."""

    bytes: tuple[BlockEntry, ...] = ()
    operations: tuple[BlockEntry, ...] = ()
    queued: tuple[BlockEntry, ...] = ()
    service_time: tuple[BlockEntry, ...] = ()
    wait_time: tuple[BlockEntry, ...] = ()
    merged: tuple[BlockEntry, ...] = ()
    time: tuple[BlockEntry, ...] = ()
    sectors: tuple[BlockEntry, ...] = ()
    pressure: Pressure | None = None


class RdmaEntry(struct.Struct, frozen=True):
    """Handles and objects of one RDMA device; -1 is unlimited."""

    device: str
    handles: int
    objects: int


class CpusetStats(struct.Struct, frozen=True):
    """CPU and node lists (`0-3`): what was asked for and what is in force; `flags` are the v1 switches by name."""

    cpus: str = ""
    mems: str = ""
    effective_cpus: str = ""
    effective_mems: str = ""
    flags: dict[str, int] = {}


class CgroupStats(struct.Struct, frozen=True):
    """Figures of one control group at one moment.

    `hugetlb` and `hugetlb_reserved` are by page size (`2MB`), `misc` by resource. The last row is read on request only.
    """

    cpu: CpuStats = CpuStats()
    memory: MemoryStats = MemoryStats()
    pids: int = 0
    pids_limit: int = 0
    block: BlockStats = BlockStats()

    cpuset: CpusetStats = CpusetStats()
    hugetlb: dict[str, Counter] = {}
    hugetlb_reserved: dict[str, Counter] = {}
    rdma: tuple[RdmaEntry, ...] = ()
    rdma_limits: tuple[RdmaEntry, ...] = ()
    misc: dict[str, Counter] = {}
