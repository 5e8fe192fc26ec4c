"""Real-time scheduling for containers: the groups above must have a share before a container can get some of it.

Source: Documentation/scheduler/sched-rt-group.rst; reference/cli/dockerd, "--cpu-rt-runtime".
"""

from __future__ import annotations

from windlass.base.errors import System
from windlass.engine.engine import Engine
from windlass.spec.resources import LinuxCpu, LinuxResources

_DAEMON_SCOPED = "daemon-scoped cpu-rt-period and cpu-rt-runtime are not"


def share_realtime(engine: Engine, cgroup_name: str) -> None:
    """Give every group above `cgroup_name` the daemon's share, if it is configured to have one. Blocks.

    Raises:
        System: this host has no such shares.
        CgroupError: the kernel refused.
    """
    runtime_us, period_us = engine.settings.cpu_rt_runtime_us, engine.settings.cpu_rt_period_us
    if not (runtime_us or period_us):
        return
    if engine.facts.cgroup_version == 2:
        raise System(f"{_DAEMON_SCOPED} implemented for cgroup v2")
    if "realtime" not in engine.facts.features:
        raise System(f"{_DAEMON_SCOPED} supported by the kernel")
    share = LinuxResources(cpu=LinuxCpu(realtime_runtime=runtime_us or None, realtime_period=period_us or None))
    *above, _ = cgroup_name.split("/")
    if above:
        engine.cgroups.ensure_parent("/".join(above))
    for depth in range(len(above)):
        engine.cgroups.open("/".join(above[: depth + 1])).update(share)
