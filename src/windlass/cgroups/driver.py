"""Choose the driver that fits the host."""

from __future__ import annotations

from windlass.base.errors import Unavailable
from windlass.cgroups.detect import detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cgroups.model import CgroupDriver, CgroupHost
    from windlass.cgroups.v1_driver import V1Driver
    from windlass.cgroups.v2_driver import V2Driver


def make_driver(host: CgroupHost | None = None, *, systemd: bool = False) -> CgroupDriver:
    """Return the driver for `host` (default: what is mounted now); with `systemd`, one that makes units.

    Raises:
        Unavailable: no hierarchy is mounted at /sys/fs/cgroup, or systemd does not run.
    """
    host = host or detect()
    # Each is imported only where it is needed: a cold runtime command has few milliseconds.
    if systemd:
        from windlass.cgroups.systemd import SystemdDriver

        return SystemdDriver(host, _make_plain(host))
    return _make_plain(host)


def _make_plain(host: CgroupHost) -> V1Driver | V2Driver:
    if host.version == 2:
        from windlass.cgroups.v2_driver import V2Driver

        return V2Driver(host)
    if host.version == 1 and host.unified_controllers:
        from windlass.cgroups.hybrid import HybridDriver

        return HybridDriver(host)
    if host.version == 1:
        from windlass.cgroups.v1_driver import V1Driver

        return V1Driver(host)
    raise Unavailable("Devices cgroup isn't mounted: mount cgroup2 at /sys/fs/cgroup (package cgroupfs-mount for v1)")
