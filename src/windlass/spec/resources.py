"""Resource limits of a container, as the OCI runtime specification writes them.

None means "not said": the kernel's or the parent's value stays.

Source: OCI runtime-spec 1.2, config-linux.md, "Control groups".
"""

from __future__ import annotations

from windlass.spec import struct


class LinuxDeviceCgroup(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One rule of the device controller; without `major` or `minor`, or with -1, all of them.

    `type` is `a` (all), `c` or `b`; empty is `a`. `access` is a subset of `rwm`.
    """

    allow: bool
    type: str = ""
    major: int | None = None
    minor: int | None = None
    access: str = ""


class LinuxMemory(
    struct.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "kernel_tcp": "kernelTCP",
        "disable_oom_killer": "disableOOMKiller",
        "use_hierarchy": "useHierarchy",
        "check_before_update": "checkBeforeUpdate",
    },
):
    """Memory limits in bytes; -1 is unlimited. `swap` counts memory and swap together; `swappiness` is 0 to 100."""

    limit: int | None = None
    reservation: int | None = None
    swap: int | None = None
    kernel: int | None = None
    kernel_tcp: int | None = None
    swappiness: int | None = None
    disable_oom_killer: bool | None = None
    use_hierarchy: bool | None = None
    check_before_update: bool | None = None


class LinuxCpu(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """CPU limits: times in microseconds; `cpus` and `mems` are lists such as `0-3,6`."""

    shares: int | None = None
    quota: int | None = None
    burst: int | None = None
    period: int | None = None
    realtime_runtime: int | None = None
    realtime_period: int | None = None
    cpus: str = ""
    mems: str = ""
    idle: int | None = None


class LinuxPids(struct.Struct, frozen=True):
    """Most tasks at a time; 0 or less is unlimited."""

    limit: int


class LinuxWeightDevice(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Weight of one block device, 10 to 1000."""

    major: int
    minor: int
    weight: int | None = None
    leaf_weight: int | None = None


class LinuxThrottleDevice(struct.Struct, frozen=True):
    """Rate of one block device: bytes or operations per second."""

    major: int
    minor: int
    rate: int


class LinuxBlockIo(
    struct.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "leaf_weight": "leafWeight",
        "weight_device": "weightDevice",
        "throttle_read_bps_device": "throttleReadBpsDevice",
        "throttle_write_bps_device": "throttleWriteBpsDevice",
        "throttle_read_iops_device": "throttleReadIOPSDevice",
        "throttle_write_iops_device": "throttleWriteIOPSDevice",
    },
):
    """Block I/O weights (10 to 1000) and throttles."""

    weight: int | None = None
    leaf_weight: int | None = None
    weight_device: list[LinuxWeightDevice] = []
    throttle_read_bps_device: list[LinuxThrottleDevice] = []
    throttle_write_bps_device: list[LinuxThrottleDevice] = []
    throttle_read_iops_device: list[LinuxThrottleDevice] = []
    throttle_write_iops_device: list[LinuxThrottleDevice] = []


class LinuxHugepageLimit(struct.Struct, frozen=True, rename="camel"):
    """Most bytes in pages of `page_size` (`2MB`, `1GB`)."""

    page_size: str
    limit: int


class LinuxInterfacePriority(struct.Struct, frozen=True):
    """Priority of traffic that leaves by one interface."""

    name: str
    priority: int


class LinuxNetworkResources(struct.Struct, frozen=True, omit_defaults=True, rename={"class_id": "classID"}):
    """Marks on a container's packets (cgroup v1 only)."""

    class_id: int | None = None
    priorities: list[LinuxInterfacePriority] = []


class LinuxRdma(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """RDMA handles and objects of one device."""

    hca_handles: int | None = None
    hca_objects: int | None = None


class LinuxResources(
    struct.Struct,
    frozen=True,
    omit_defaults=True,
    rename={"block_io": "blockIO", "hugepage_limits": "hugepageLimits"},
):
    """Everything that a container's control group is told; `unified` are raw cgroup v2 files."""

    devices: list[LinuxDeviceCgroup] = []
    memory: LinuxMemory | None = None
    cpu: LinuxCpu | None = None
    pids: LinuxPids | None = None
    block_io: LinuxBlockIo | None = None
    hugepage_limits: list[LinuxHugepageLimit] = []
    network: LinuxNetworkResources | None = None
    rdma: dict[str, LinuxRdma] = {}
    unified: dict[str, str] = {}
