"""An engine without a host: launcher, control groups and images in memory, a real store in a temporary directory."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from windlass.base.nursery import Nursery
from windlass.cgroups.figures import CgroupStats
from windlass.cgroups.model import CgroupHost, CgroupMount
from windlass.engine.containers.create import CreateRequest, create
from windlass.engine.containers.table import ContainerTable
from windlass.engine.engine import Engine
from windlass.engine.events import Events
from windlass.engine.execs.table import ExecTable
from windlass.engine.networks.networks import Networks
from windlass.engine.networks.spare import SpareNamespace
from windlass.engine.paths import Paths, make_roots
from windlass.engine.recovery import recover
from windlass.engine.settings import EngineSettings
from windlass.engine.volumes import Volumes
from windlass.images.image import Image, NoSuchImage
from windlass.runtime.intent import DaemonDefaults, HostFacts
from windlass.runtime.task import AdoptedExec, Attachment, NetNs, StartFailed, TaskCallbacks, TaskGone
from windlass.spec.container import ContainerConfig, HostConfig, NetworkingConfig
from windlass.spec.id_mappings import IdMappings
from windlass.spec.image import Descriptor, ImageConfig, Manifest
from windlass.spec.plan import Exec
from windlass.spec.resources import LinuxResources
from windlass.spec.task import ExecPlan, ExitRecord, ForeignPlan, TaskPlan
from windlass.store.containers import ContainerRows
from windlass.store.database import open_database
from windlass.store.networks import NetworkRows
from windlass.store.volumes import VolumeRows
from windlass.volumes.local import LocalVolumes

DIGEST = "sha256:" + "ab" * 32
SIGKILL = 9
# No process has these.
_FIRST_PID = 1 << 30


class FakeTask:
    """A process that lives until it is told to end, or gets a signal that it dies of.

    With `keeps_exec_clients`, clients of execs are `exec_clients`, to be closed by the test.
    """

    keeps_exec_clients = False

    def __init__(self, plan: TaskPlan, callbacks: TaskCallbacks, pid: int) -> None:
        self.plan = plan
        self.callbacks = callbacks
        self.pid = pid
        self.started_at_ns = time.time_ns()
        self.signals: list[int] = []
        self.attached: list[Attachment] = []
        self.execs: list[ExecPlan] = []
        self.exec_clients: list[int] = []
        self.killed_execs: list[str] = []
        self.adopted_execs: dict[str, AdoptedExec] = {}
        self.sizes: list[tuple[int, int, str]] = []
        self.foreign = plan.foreign is not None
        self.managed: list[tuple[str, bytes]] = []
        self.dies_of = {SIGKILL, 15}
        self.ended = False

    def end(self, exit_code: int = 0, *, oom: bool = False, ran_ns: int = 0) -> None:
        """End the process as its supervisor would."""
        self.ended = True
        started = self.started_at_ns
        record = ExitRecord(self.plan.id, exit_code, started, started + ran_ns, self.pid, oom)
        self.callbacks.on_exit(record)

    async def attach(self, attachment: Attachment) -> None:
        if self.ended:
            raise TaskGone("gone")
        self.attached.append(attachment)

    async def exec(self, plan: ExecPlan, attachments: Sequence[Attachment]) -> int:
        if _argv(plan) == ["nope"]:
            raise StartFailed('exec: "nope": executable file not found in $PATH', 127)
        self.execs.append(plan)
        if self.keeps_exec_clients:
            self.exec_clients += [os.dup(attachment.connection) for attachment in attachments]
        return self.pid + 1

    async def kill(self, signal: int, exec_id: str = "") -> None:
        self.signals.append(signal)
        if exec_id:
            self.killed_execs.append(exec_id)
            return
        if signal in self.dies_of and not self.ended:
            self.end(128 + signal)

    async def manage(self, command: str, resources: bytes = b"") -> None:
        self.managed.append((command, resources))

    async def resize(self, rows: int, columns: int, exec_id: str = "") -> None:
        self.sizes.append((rows, columns, exec_id))

    async def wait(self) -> ExitRecord:
        raise NotImplementedError


def _argv(plan: TaskPlan | ExecPlan) -> list[str]:
    if isinstance(plan.foreign, ForeignPlan):
        return list(msgspec.json.decode(plan.foreign.spec)["process"]["args"])
    if plan.foreign is not None:
        return list(msgspec.json.decode(plan.foreign.process)["args"])
    return next(op.args for op in plan.launch.ops if isinstance(op, Exec))


class FakeLauncher:
    """Launches fake tasks. Commands `nope` and `denied` cannot be started."""

    def __init__(self) -> None:
        self.tasks: list[FakeTask] = []
        self.clients: list[list[Attachment]] = []
        self.living: dict[str, FakeTask] = {}
        self.jobs: list[tuple[str, Mapping[str, object]]] = []
        self.before_launch = asyncio.Event()
        self.before_launch.set()

    async def launch(
        self,
        plan: TaskPlan,
        callbacks: TaskCallbacks,
        attachments: Sequence[Attachment] = (),
        netns_fd: int = -1,
        holds: Sequence[int] = (),
        userns_fd: int = -1,
    ) -> FakeTask:
        await self.before_launch.wait()
        argv = _argv(plan)
        if argv[0] == "nope":
            raise StartFailed('exec: "nope": executable file not found in $PATH', 127)
        if argv[0] == "broken":
            raise StartFailed("mount proc at /proc: EPERM (step 9 of 23)", 125)
        task = FakeTask(plan, callbacks, _FIRST_PID + 10 * len(self.tasks))
        self.tasks.append(task)
        self.clients.append(list(attachments))
        return task

    async def adopt(self, container_id: str, callbacks: TaskCallbacks) -> FakeTask | None:
        task = self.living.get(container_id)
        if task is not None:
            task.callbacks = callbacks
        return task

    async def new_netns(self, mappings: IdMappings | None = None, userns_fd: int = -1) -> NetNs:
        raise NotImplementedError

    async def run_job(self, name: str, params: Mapping[str, object], fds: Sequence[int] = ()) -> dict[str, object]:
        self.jobs.append((name, params))
        return {"error": ""} if name == "delete-foreign" else {}


@dataclass
class FakeCgroup:
    """Remembers what was done to it."""

    name: str
    calls: list[str] = field(default_factory=list)

    def join_files(self) -> list[str]:
        return []

    def mounts(self) -> tuple[CgroupMount, ...]:
        return ()

    def oom_event_path(self) -> str:
        return ""

    def update(self, resources: LinuxResources) -> None:
        self.calls.append("update")

    def processes(self) -> list[int]:
        return [os.getpid()] if "remove" not in self.calls and "kill_all" not in self.calls else []

    def kill_all(self) -> None:
        self.calls.append("kill_all")

    def set_frozen(self, frozen: bool) -> None:
        self.calls.append("freeze" if frozen else "thaw")

    def stats(self) -> CgroupStats:
        return CgroupStats()

    def remove(self) -> None:
        self.calls.append("remove")


class FakeCgroups:
    """Makes fake groups; the newest of a name is kept."""

    host = CgroupHost(2, "/sys/fs/cgroup", {"memory": "/sys/fs/cgroup"})

    def __init__(self) -> None:
        self.groups: dict[str, FakeCgroup] = {}

    def ensure_parent(self, parent: str) -> None:
        return

    def create(self, name: str, resources: LinuxResources) -> tuple[FakeCgroup, Sequence[str]]:
        self.groups[name] = FakeCgroup(name)
        return self.groups[name], ()

    def open(self, name: str) -> FakeCgroup:
        return self.groups.setdefault(name, FakeCgroup(name))


def fake_image(config: ContainerConfig | None = None) -> Image:
    """An image of one layer."""
    descriptor = Descriptor("application/vnd.oci.image.config.v1+json", DIGEST, 1)
    own = config or ContainerConfig(cmd=["sh"], env=["PATH=/bin"])
    return Image(
        id=DIGEST,  # type: ignore[arg-type]
        config=ImageConfig(architecture="amd64", os="linux", config=own),
        manifest=Manifest(2, descriptor, []),
        manifest_digest=DIGEST,  # type: ignore[arg-type]
        size_bytes=1000,
        created_ns=0,
    )


class FakeImages:
    """One image, by the name `box` and its id."""

    def __init__(self) -> None:
        self.image = fake_image()

    async def resolve(self, name: str) -> Image:
        if name in ("box", "box:latest", self.image.id):
            return self.image
        raise NoSuchImage(name if ":" in name else f"{name}:latest")

    def get(self, image_id: str) -> Image | None:
        return self.image if image_id == self.image.id else None

    def layers_of(self, image_id: str) -> tuple[str, ...]:
        return ("aaaaaaaa",)

    def rootfs(self, image: Image) -> tuple[str, ...]:
        return ("aaaaaaaa",)

    def container_removed(self) -> None:
        return

    async def list(self, filters: object = None, **_options: bool) -> list[dict[str, object]]:
        return [{"Id": self.image.id, "Size": 1000, "SharedSize": 0}]


class FakeFilters:
    """Compiles nothing."""

    def program(self, seccomp: object) -> bytes:
        return b""


@dataclass
class FakeWorld:
    """The engine and its fakes."""

    engine: Engine
    launcher: FakeLauncher
    cgroups: FakeCgroups
    images: FakeImages

    @property
    def task(self) -> FakeTask:
        """The task that was launched last."""
        return self.launcher.tasks[-1]

    @property
    def events(self) -> list[str]:
        """The actions of containers so far."""
        ring: Any = self.engine.events._ring
        return [o.event.action for o in ring if o.event.type == "container"]

    async def make(
        self, name: str = "", cmd: list[str] | None = None, host: HostConfig | None = None, **config: Any
    ) -> str:
        """Create a container of `box`; returns its id."""
        request = CreateRequest(
            ContainerConfig(image="box", cmd=cmd or ["sleep", "1"], **config),
            host or HostConfig(),
            NetworkingConfig(),
            name,
        )
        return (await create(self.engine, request)).id

    async def settled(self) -> None:
        """Wait until nothing goes on in the background."""
        await self.engine.nursery.drain(5)


@asynccontextmanager
async def open_world(
    directory: Path, *, launcher: FakeLauncher | None = None, recovered: bool = True
) -> AsyncIterator[FakeWorld]:
    """Open an engine on `directory`; a second one on the same directory is the next daemon."""
    launcher = launcher or FakeLauncher()
    cgroups, images = FakeCgroups(), FakeImages()
    paths = Paths(str(directory / "data"), str(directory / "run"))
    settings = EngineSettings("0.0", paths.data_root, paths.run_root, bridge_name="none")
    database = open_database(paths.database)
    events = Events()
    containers = ContainerTable(ContainerRows(database), paths)
    fakes: Any = (launcher, cgroups, images, FakeFilters())
    nursery = Nursery()
    engine = Engine(
        settings=settings,
        paths=paths,
        events=events,
        nursery=nursery,
        containers=containers,
        execs=ExecTable(),
        networks=Networks(NetworkRows(database), settings, events),
        namespaces=SpareNamespace(fakes[0], nursery),
        volumes=Volumes(VolumeRows(database), LocalVolumes(paths.volumes), events, containers.using_volume),
        images=fakes[2],
        launcher=fakes[0],
        cgroups=fakes[1],
        facts=HostFacts(cgroup_version=2, cpu_count=2),
        filters=fakes[3],
        defaults=DaemonDefaults(),
    )
    try:
        if recovered:
            make_roots(engine.paths)
            await recover(engine)
        yield FakeWorld(engine, launcher, cgroups, images)
    finally:
        engine.closing = True
        await engine.nursery.close()
        await database.close()
