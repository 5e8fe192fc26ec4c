"""Containers from intents: the real lowering, control groups, filters and launcher, without engine and images."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec
from tests.support.launching import Bench, Connection
from tests.support.leaks import OUR_CGROUPS

from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup, CgroupDriver
from windlass.runtime.check_container import check_container
from windlass.runtime.facts import probe_host
from windlass.runtime.host_devices import resolve_block_devices, resolve_devices
from windlass.runtime.intent import ContainerIntent, DaemonDefaults, EtcFiles, HostFacts, NetworkIntent
from windlass.runtime.lower_exec import ExecIntent, lower_exec
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.lower_spec import cgroup_name, lower_container
from windlass.runtime.mount_requests import parse_mounts
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.supervisor import SupervisorTask
from windlass.seccomp.cache import FilterCache
from windlass.spec.container import ContainerConfig, HostConfig
from windlass.spec.plan import OverlayRoot
from windlass.spec.runtime import RuntimeSpec
from windlass.spec.task import ExecPlan, IoPlan, LogPlan, TaskPlan

PARENT = f"{OUR_CGROUPS}-{os.getpid()}"
_filters = FilterCache()


@cache
def driver() -> CgroupDriver:
    """The host's control group driver."""
    return make_driver()


@cache
def host_facts() -> HostFacts:
    """The host's facts."""
    return probe_host(driver().host)


@dataclass
class Lowered:
    """A container lowered from an intent, and where it runs."""

    bench: Bench
    intent: ContainerIntent
    spec: RuntimeSpec
    cgroup: Cgroup
    plan: TaskPlan
    warnings: list[str] = field(default_factory=list)

    async def start(self) -> SupervisorTask:
        """Launch it."""
        return await self.bench.start(self.plan)

    async def output(self) -> str:
        """Run it to its end and return what it wrote."""
        data, record = await self.bench.run(self.plan)
        assert record.error == ""
        return data.decode()

    async def exec(self, task: SupervisorTask, intent: ExecIntent) -> str:
        """Run one more process and return what it wrote."""
        launch = lower_exec(
            intent,
            self.spec,
            cgroup_files=self.cgroup.join_files(),
            seccomp_program=program(self.spec),
            host_capabilities=self.intent.facts.capabilities,
        )
        with Connection() as client:
            await task.exec(ExecPlan("e", launch, IoPlan(tty=intent.tty)), [client.attachment])
            client.handed_over()
            return (await client.read_all()).decode()


def program(spec: RuntimeSpec) -> bytes | None:
    """The compiled filter of a specification."""
    return _filters.program(spec.linux.seccomp) if spec.linux.seccomp else None


@asynccontextmanager
async def lowered(
    bench: Bench,
    args: Sequence[str],
    *,
    config: ContainerConfig | None = None,
    host: HostConfig | None = None,
    network: NetworkIntent | None = None,
    name: str = "c",
    **more: object,
) -> AsyncIterator[Lowered]:
    """Lower a container of the bench's busybox root; its control group is removed at the end."""
    config = config or ContainerConfig(hostname=name)
    defaults = DaemonDefaults(cgroup_parent=PARENT)
    checked = check_container(config, host or HostConfig(), host_facts(), defaults)
    directory = bench.directory / "containers" / name
    intent = ContainerIntent(
        id=name,
        config=config,
        host_config=checked.host_config,
        args=list(args),
        root_path=f"{directory}/root",
        facts=host_facts(),
        mounts=parse_mounts(config, checked.host_config),
        etc=_etc_files(directory),
        network=network or NetworkIntent("none"),
        devices=resolve_devices(checked.host_config),
        block_devices=resolve_block_devices(checked.host_config),
        defaults=defaults,
    )
    if more:
        intent = msgspec.structs.replace(intent, **more)
    spec = lower_container(intent)
    assert spec.linux.resources is not None
    cgroup, warnings = driver().create(cgroup_name(intent), spec.linux.resources)
    try:
        plan = _task_plan(bench, directory, intent, spec, cgroup)
        yield Lowered(bench, intent, spec, cgroup, plan, [*checked.warnings, *warnings])
    finally:
        cgroup.kill_all()
        # Removal waits for the processes, whose supervisor must be served meanwhile.
        await asyncio.to_thread(cgroup.remove)
        await asyncio.to_thread(driver().open(PARENT).remove)


def _etc_files(directory: Path) -> EtcFiles:
    for part in ("root", "upper", "work"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    for file in ("hosts", "hostname", "resolv.conf"):
        (directory / file).write_text(f"{file} of the engine\n")
    return EtcFiles(f"{directory}/resolv.conf", f"{directory}/hosts", f"{directory}/hostname")


def _task_plan(bench: Bench, directory: Path, intent: ContainerIntent, spec: RuntimeSpec, cgroup: Cgroup) -> TaskPlan:
    lower = bench.lower
    facts = PlanFacts(
        root=OverlayRoot(
            f"{directory}/root", str(lower.parent), [lower.name], f"{directory}/upper", f"{directory}/work"
        ),
        cgroup_version=intent.facts.cgroup_version,
        cgroup_files=tuple(cgroup.join_files()),
        cgroup_mounts=cgroup.mounts(),
        seccomp_program=program(spec),
        host_capabilities=intent.facts.capabilities,
        kcore=intent.facts.kcore,
    )
    run = bench.launcher.task_directory(intent.id)
    io = IoPlan(tty=intent.config.tty)
    log = LogPlan(path=f"{directory}/log")
    return TaskPlan(intent.id, lower_plan(spec, facts), io, log, f"{run}/exit.json", f"{run}/pid")
