"""The control groups of a container of the command line."""

from __future__ import annotations

import sys

from windlass.cgroups.driver import make_driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cgroups.model import Cgroup, CgroupDriver
    from windlass.runtime.oci.state import State


def driver_for(systemd: bool) -> CgroupDriver:
    """Return the driver that makes and finds groups."""
    if systemd and sys.flags.no_site:
        # Only its D-Bus needs a package of others.
        import site

        site.main()
    return make_driver(systemd=systemd)


def open_group(state: State) -> Cgroup:
    """Return the container's group; it may be gone."""
    return driver_for(state.systemd).open(state.cgroup)
