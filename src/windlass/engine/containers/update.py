"""`update`: limits and restart policy of a container, running or not."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from windlass.base.errors import Conflict, InvalidParameter
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.lowering import container_intent
from windlass.engine.containers.modes import RESTART_POLICIES
from windlass.engine.engine import Engine
from windlass.runtime.check_container import check_update
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.resources import limits
from windlass.spec.container import HostConfig
from windlass.spec.resources import LinuxResources

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
_MEMORY = frozenset({"memory", "memory_swap"})


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
        try:
            changed = changes(present, wanted)
        except InvalidParameter as error:
            raise InvalidParameter(f"Cannot update container {container.id}: {error.message}") from error
        host, warnings = check_update(msgspec.structs.replace(present, **changed), engine.facts)
        intent = msgspec.structs.replace(container.intent, host_config=host)
        lower_container(container_intent(engine, intent, look_at_host=False))
        await _apply(container, limits(only_changed(host, changed)))
        await engine.containers.set_intent(container, intent)
    announce(engine, container, "update")
    return warnings


async def _apply(container: Container, resources: LinuxResources) -> None:
    task = container.task
    if task is not None and task.foreign:
        await task.manage("update", msgspec.json.encode(resources))
    elif container.cgroup is not None:
        await run_blocking(container.cgroup.update, resources)


def changes(host: HostConfig, wanted: HostConfig) -> dict[str, object]:
    """Return the members of `host` that `wanted` changes.

    Raises:
        InvalidParameter: they contradict what is set.
    """
    _check_conflicts(host, wanted)
    changed: dict[str, object] = {name: value for name in _LIMITS if (value := getattr(wanted, name))}
    if wanted.pids_limit is not None:
        changed["pids_limit"] = wanted.pids_limit
    policy = wanted.restart_policy
    if policy.name:
        if policy.name not in RESTART_POLICIES:
            raise InvalidParameter(f"invalid restart policy: unknown policy '{policy.name}'")
        if host.auto_remove and policy.name != "no":
            raise InvalidParameter("Restart policy cannot be updated because AutoRemove is enabled for the container")
        changed["restart_policy"] = policy
    return changed


def _check_conflicts(host: HostConfig, wanted: HostConfig) -> None:
    """Each new limit against the old one of another kind that would be left behind."""
    for new, old, texts in (
        (wanted.nano_cpus, host.cpu_period, ("Nano CPUs", "CPU Period")),
        (wanted.nano_cpus, host.cpu_quota, ("Nano CPUs", "CPU Quota")),
        (wanted.cpu_period, host.nano_cpus, ("CPU Period", "NanoCPUs")),
        (wanted.cpu_quota, host.nano_cpus, ("CPU Quota", "NanoCPUs")),
    ):
        if new > 0 and old > 0:
            raise InvalidParameter(
                f"Conflicting options: {texts[0]} cannot be updated as {texts[1]} has already been set"
            )
    if 0 < host.memory_swap < wanted.memory and not wanted.memory_swap:
        raise InvalidParameter(
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"
        )


def only_changed(host: HostConfig, changed: Collection[str]) -> HostConfig:
    """Return a configuration with the `changed` limits of `host` alone: the others need no second writing.

    Memory and swap go together: on cgroup v2 the limit of one is the difference of both.
    """
    names = {*changed, *(_MEMORY if _MEMORY & set(changed) else ())} & {*_LIMITS}
    return HostConfig(**{name: getattr(host, name) for name in names})
