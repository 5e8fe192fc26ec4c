"""From a container to the plan of its start, with everything looked up."""

from __future__ import annotations

import os
from dataclasses import dataclass

from windlass.base.errors import System
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.foreign import plan_foreign, runtime_of
from windlass.engine.containers.joining import ipc_donor, network_donor, pid_donor
from windlass.engine.containers.log_plans import log_plan
from windlass.engine.containers.model import Intent
from windlass.engine.containers.realtime import share_realtime
from windlass.engine.containers.user_namespaces import user_namespace
from windlass.engine.engine import Engine
from windlass.engine.paths import ContainerPaths
from windlass.runtime.host_devices import resolve_block_devices, resolve_devices
from windlass.runtime.init_program import keeps_launcher
from windlass.runtime.intent import ContainerIntent, EtcFiles, NetworkIntent
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.lower_spec import cgroup_name, lower_container
from windlass.runtime.namespaces import joined_container
from windlass.runtime.plan_facts import PlanFacts
from windlass.snapshots.overlay import OVERLAY_OPTIONS
from windlass.spec.container import HostConfig
from windlass.spec.plan import BindRoot, LaunchPlan, OverlayRoot
from windlass.spec.runtime import RuntimeSpec
from windlass.spec.task import ForeignPlan, IoPlan, TaskPlan

_PRIVATE = NetworkIntent("private")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A start that only needs its descriptors: what was compiled, and the control group that was made for it.

    Another runtime makes the group itself.
    """

    spec: RuntimeSpec
    plan: TaskPlan
    cgroup: Cgroup
    warnings: tuple[str, ...]


def network_intent(engine: Engine, intent: Intent) -> NetworkIntent:
    """Return which network namespace a container gets.

    Raises:
        Conflict: it is to join that of a container that has none.
    """
    mode = intent.host_config.network_mode
    if mode in ("host", "none"):
        return NetworkIntent(mode)
    if target := joined_container(mode):
        return NetworkIntent("join", f"/proc/{network_donor(engine, target)}/ns/net")
    return _PRIVATE


def container_intent(engine: Engine, intent: Intent, *, look_at_host: bool = True) -> ContainerIntent:
    """Return the input of the lowering; with `look_at_host` with devices and other containers looked up. Blocks then.

    Raises:
        InvalidParameter, Conflict, System: something looked up is not there.
    """
    host = intent.host_config
    paths = engine.paths.container(intent.id)
    etc_paths = etc_files_owner(engine, intent) if look_at_host else paths
    ipc, pid = joined_container(host.ipc_mode), joined_container(host.pid_mode)
    return ContainerIntent(
        id=intent.id,
        config=intent.config,
        host_config=host,
        args=intent.argv,
        root_path=paths.rootfs,
        facts=engine.facts,
        mounts=intent.mounts,
        etc=EtcFiles(etc_paths.resolv_conf, etc_paths.hosts, etc_paths.hostname),
        network=network_intent(engine, intent) if look_at_host else _PRIVATE,
        ipc_pid=ipc_donor(engine, ipc) if ipc and look_at_host else 0,
        pid_pid=pid_donor(engine, pid) if pid and look_at_host else 0,
        devices=resolve_devices(host) if look_at_host else [],
        user_namespace=user_namespace(engine, intent, look_at_host=look_at_host),
        block_devices=resolve_block_devices(host) if _limits_devices(host) else {},
        defaults=engine.defaults,
    )


def etc_files_owner(engine: Engine, intent: Intent) -> ContainerPaths:
    """Return the files of the container whose network a container uses: mostly its own."""
    target = joined_container(intent.host_config.network_mode)
    return engine.containers.get(target).paths if target else engine.paths.container(intent.id)


def _limits_devices(host: HostConfig) -> bool:
    return any(
        (
            host.blkio_weight_device,
            host.blkio_device_read_bps,
            host.blkio_device_write_bps,
            host.blkio_device_read_iops,
            host.blkio_device_write_iops,
        )
    )


def prepare(engine: Engine, intent: Intent, layers: tuple[str, ...]) -> Prepared:
    """Compile a start and make its control group. Blocks; nothing is left behind when it fails.

    `layers` are the image's, top first.

    Raises:
        WindlassError: the configuration cannot be had on this host now.
    """
    runtime = runtime_of(engine, intent)
    lowered = container_intent(engine, intent)
    _make_bind_sources(intent)
    spec = lower_container(lowered)
    assert spec.linux.resources is not None
    root = _root(engine, intent, layers, idmap=lowered.user_namespace.remapped)
    if runtime is not None:
        foreign, cgroup = plan_foreign(engine, intent, spec, root, runtime)
        return Prepared(spec, _task_plan(engine, intent, LaunchPlan([]), cgroup, foreign), cgroup, ())
    share_realtime(engine, cgroup_name(lowered))
    cgroup, warnings = engine.cgroups.create(cgroup_name(lowered), spec.linux.resources)
    try:
        launch = lower_plan(spec, _facts(engine, spec, cgroup, root, lowered))
    except BaseException:
        cgroup.remove()
        raise
    return Prepared(spec, _task_plan(engine, intent, launch, cgroup), cgroup, tuple(warnings))


def _root(engine: Engine, intent: Intent, layers: tuple[str, ...], *, idmap: bool) -> OverlayRoot | BindRoot:
    paths = engine.paths.container(intent.id)
    if not layers:
        return BindRoot(paths.upper, idmap=idmap)
    lower = [f"{name}/d" for name in layers]
    options = ",".join(OVERLAY_OPTIONS)
    return OverlayRoot(paths.rootfs, engine.paths.layers, lower, paths.upper, paths.work, data=options, idmap=idmap)


def _facts(
    engine: Engine, spec: RuntimeSpec, cgroup: Cgroup, root: OverlayRoot | BindRoot, lowered: ContainerIntent
) -> PlanFacts:
    seccomp = spec.linux.seccomp
    # The descriptors that come with the plan: first the network namespace, then the user namespace.
    own_network = lowered.network.mode == "private"
    return PlanFacts(
        root=root,
        cgroup_version=engine.facts.cgroup_version,
        cgroup_files=tuple(cgroup.join_files()),
        cgroup_mounts=tuple(cgroup.mounts()),
        netns_fd=0 if own_network else -1,
        userns_fd=int(own_network) if lowered.user_namespace.remapped else -1,
        seccomp_program=engine.filters.program(seccomp) if seccomp is not None else None,
        host_capabilities=engine.facts.capabilities,
        kcore=engine.facts.kcore,
        init=keeps_launcher(lowered),
        security_modules=engine.facts.security_modules,
    )


def _task_plan(
    engine: Engine, intent: Intent, launch: LaunchPlan, cgroup: Cgroup, foreign: ForeignPlan | None = None
) -> TaskPlan:
    paths = engine.paths.container(intent.id)
    config = intent.config
    rows, columns = intent.host_config.console_size or (0, 0)
    return TaskPlan(
        id=intent.id,
        launch=launch,
        io=IoPlan(config.tty, config.open_stdin, config.stdin_once, rows, columns),
        log=log_plan(intent, paths),
        record_path=paths.exit_record,
        pid_path=paths.pid,
        oom_event_path=cgroup.oom_event_path(),
        foreign=foreign,
    )


def _make_bind_sources(intent: Intent) -> None:
    """Make the host directories that `-v /missing:/x` asks for, as dockerd does."""
    for point in intent.mounts:
        if point.type == "bind" and point.create_source:
            try:
                os.makedirs(point.source, exist_ok=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise System(
                    f"error while creating mount source path '{point.source}': "
                    f"mkdir {error.filename}: {(error.strerror or '').lower()}"
                ) from error
