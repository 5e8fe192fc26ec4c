"""`update`: limits and restart policy of a container, running or not."""

from __future__ import annotations

import msgspec

from windlass.base.errors import Conflict, InvalidParameter
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce
from windlass.engine.containers.lowering import container_intent
from windlass.engine.containers.modes import RESTART_POLICIES
from windlass.engine.engine import Engine
from windlass.runtime.check_container import check_update
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.resources import limits
from windlass.spec.container import HostConfig

_LIMITS = (
    "blkio_weight",
    "cpu_period",
    "cpu_quota",
    "cpu_realtime_period",
    "cpu_realtime_runtime",
    "cpu_shares",
    "cpuset_cpus",
    "cpuset_mems",
    "memory",
    "memory_reservation",
    "memory_swap",
    "nano_cpus",
    "pids_limit",
)


async def update(engine: Engine, reference: str, wanted: HostConfig) -> list[str]:
    """Change what `wanted` says; members with their zero value stay as they were. Returns warnings.

    Raises:
        NoSuchContainer, InvalidParameter, Conflict: in dockerd's words.
        CgroupError: the kernel refused; nothing is changed then.
    """
    container = engine.containers.get(reference)
    async with container.lock:
        if container.removing:
            raise Conflict(
                f'Cannot update container {container.id}: container is marked for removal and cannot be "update"'
            )
        present = container.intent.host_config
        host, warnings = check_update(present, merged(present, wanted), engine.facts)
        intent = msgspec.structs.replace(container.intent, host_config=host)
        lower_container(container_intent(engine, intent, look_at_host=False))
        task = container.task
        if task is not None and task.foreign:
            await task.manage("update", msgspec.json.encode(limits(host)))
        elif container.cgroup is not None:
            await run_blocking(container.cgroup.update, limits(host))
        await engine.containers.set_intent(container, intent)
    announce(engine, container, "update")
    return warnings


def merged(host: HostConfig, wanted: HostConfig) -> HostConfig:
    """Return a copy of `host` with what `wanted` says.

    Raises:
        InvalidParameter: unknown or contradictory policy or limits.
    """
    changed = {name: value for name in _LIMITS if (value := getattr(wanted, name))}
    if wanted.pids_limit is not None:
        changed["pids_limit"] = wanted.pids_limit
    if "nano_cpus" in changed and (host.cpu_period or host.cpu_quota):
        raise InvalidParameter("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set")
    new_memory = int(changed.get("memory", host.memory))
    new_swap = int(changed.get("memory_swap", host.memory_swap))
    if new_memory > new_swap > 0:
        raise InvalidParameter(
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
        )
    policy = wanted.restart_policy
    if policy.name:
        if policy.name not in RESTART_POLICIES:
            raise InvalidParameter(f"invalid restart policy: unknown policy '{policy.name}'")
        if host.auto_remove and policy.name != "no":
            raise InvalidParameter("Restart policy cannot be updated because AutoRemove is enabled for the container")
        changed["restart_policy"] = policy
    return msgspec.structs.replace(host, **changed)
