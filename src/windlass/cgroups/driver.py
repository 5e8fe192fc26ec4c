"""Choose the driver that fits the host."""

from __future__ import annotations

from windlass.base.errors import Unavailable
from windlass.cgroups.detect import detect
from windlass.cgroups.model import CgroupDriver, CgroupHost
from windlass.cgroups.v1 import V1Driver
from windlass.cgroups.v2 import V2Driver


def make_driver(host: CgroupHost | None = None) -> CgroupDriver:
    """Return the driver for `host` (default: what is mounted now).

    Raises:
        Unavailable: no hierarchy is mounted at /sys/fs/cgroup.
    """
    host = host or detect()
    if host.version == 2:
        return V2Driver(host)
    if host.version == 1:
        return V1Driver(host)
    raise Unavailable("Devices cgroup isn't mounted: mount cgroup2 at /sys/fs/cgroup (package cgroupfs-mount for v1)")
