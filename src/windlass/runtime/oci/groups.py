"""The control groups of a container of the command line."""

from __future__ import annotations

import sys

from windlass.base.errors import NotSupported
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
    """Return the container's group; it may be gone.

    Raises:
        NotSupported: it never had one (an ordinary user's).
    """
    if not state.cgroup:
        raise NotSupported("the container has no control group")
    return driver_for(state.systemd).open(state.cgroup)
