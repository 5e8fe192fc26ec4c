"""Launch plans for tests of the launch room, without images, cgroups or networks."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from windlass.linux import mount as m
from windlass.linux import namespaces as ns
from windlass.runtime.supervisor import SupervisorTask
from windlass.runtime.task import Attachment, TaskCallbacks
from windlass.runtime.zygote import ZygoteLauncher
from windlass.spec import plan as ops
from windlass.spec.task import ExecPlan, ExitRecord, IoPlan, LogPlan, TaskPlan

DEFAULT_CAPABILITIES = 0xA80425FB
_NAMESPACES = ns.CLONE_NEWNS | ns.CLONE_NEWUTS | ns.CLONE_NEWIPC | ns.CLONE_NEWNET
_DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))


@dataclass
class Bench:
    """A launcher, a root to run in, and directories of its own."""

    launcher: ZygoteLauncher
    directory: Path
    lower: Path
    exits: list[ExitRecord] = field(default_factory=list)
    exec_exits: dict[str, int] = field(default_factory=dict)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    detached: asyncio.Event = field(default_factory=asyncio.Event)

    def callbacks(self) -> TaskCallbacks:
        """Callbacks that remember what they hear."""
        return TaskCallbacks(
            on_exit=self.exits.append,
            on_exec_exit=self.exec_exits.__setitem__,
            on_lost=self.lost.set,
            on_detach=lambda _exec_id: self.detached.set(),
        )

    def log_path(self, name: str) -> Path:
        """The log of container `name`."""
        return self.directory / "containers" / name / "log"

    def plan(
        self,
        name: str,
        args: Sequence[str],
        *,
        tty: bool = False,
        stdin: bool = False,
        user: str = "",
        cwd: str = "/",
        extra: Sequence[ops.AnyOp] = (),
        last: Sequence[ops.AnyOp] = (),
        cgroup_files: Sequence[str] = (),
        env: Sequence[str] = ("PATH=/bin",),
        log: LogPlan | None = None,
    ) -> TaskPlan:
        """A plan like the engine's; `extra` runs before the pivot, `last` right before cgroups are joined."""
        directory = self.directory / "containers" / name
        for part in ("root", "upper", "work"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        steps: list[ops.AnyOp] = [
            ops.Unshare(_NAMESPACES),
            ops.Propagation(m.MS_REC | m.MS_SLAVE),
            ops.OverlayRoot(
                f"{directory}/root",
                str(self.lower.parent),
                [self.lower.name],
                f"{directory}/upper",
                f"{directory}/work",
            ),
            ops.MountFs("proc", "/proc"),
            ops.MountFs("tmpfs", "/dev", options=[("mode", "755")]),
            ops.MountFs("devpts", "/dev/pts", options=[("newinstance", None), ("ptmxmode", "0666"), ("gid", "5")]),
            *(ops.DevNode(f"/dev/{node}", "c", major, minor) for node, major, minor in _DEVICES),
            *extra,
            *([ops.Console()] if tty else []),
            ops.PivotRoot(),
            ops.Hostname(name),
            ops.ResolveUser(user),
            ops.Chdir(cwd),
            *last,
            ops.JoinCgroup(),
            ops.Credentials(DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES),
            ops.Exec(list(args), list(env)),
        ]
        launch = ops.LaunchPlan(steps, new_pid_namespace=True, cgroup_files=list(cgroup_files))
        run = self.launcher.task_directory(name)
        return TaskPlan(
            name,
            launch,
            IoPlan(tty=tty, stdin=stdin, stdin_once=stdin, rows=24, columns=80),
            log or LogPlan(path=str(directory / "log")),
            f"{run}/exit.json",
            f"{run}/pid",
        )

    def exec_plan(self, identity: str, args: Sequence[str], *, tty: bool = False, cwd: str = "/") -> ExecPlan:
        """A plan for one more process in a container."""
        steps: list[ops.AnyOp] = [
            ops.JoinTarget(_NAMESPACES),
            *([ops.Console(bind=False)] if tty else []),
            ops.ResolveUser(""),
            ops.Chdir(cwd),
            ops.Credentials(DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES),
            ops.Exec(list(args), ["PATH=/bin"]),
        ]
        return ExecPlan(identity, ops.LaunchPlan(steps), IoPlan(tty=tty, stdin=True, stdin_once=True))

    async def start(self, plan: TaskPlan, *attachments: Attachment) -> SupervisorTask:
        """Launch `plan`."""
        return await self.launcher.launch(plan, self.callbacks(), attachments)

    async def run(self, plan: TaskPlan, typed: bytes | None = None) -> tuple[bytes, ExitRecord]:
        """Launch `plan` with a client attached, type `typed`, and return the raw output and the end."""
        with Connection(stdin=typed is not None) as client:
            task = await self.start(plan, client.attachment)
            client.handed_over()
            if typed is not None:
                await client.type(typed, end=True)
            output = await client.read_all()
            return output, await asyncio.wait_for(task.wait(), 20)


class Connection:
    """A client's connection and the end that is handed over."""

    def __init__(self, *, stdin: bool = False, framed: bool = False, detach_keys: bytes = b"") -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.attachment = Attachment(self.theirs.fileno(), stdin=stdin, framed=framed, detach_keys=detach_keys)

    def handed_over(self) -> None:
        """Close our copy of the handed-over end, so that its last close is seen."""
        self.theirs.close()

    async def type(self, data: bytes, *, end: bool = False) -> None:
        """Send input, and half-close at its end."""
        await asyncio.get_running_loop().sock_sendall(self.ours, data)
        if end:
            self.ours.shutdown(socket.SHUT_WR)

    async def read_until(self, marker: bytes) -> bytes:
        """Read until `marker` was seen."""
        data = b""
        while marker not in data:
            chunk = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.ours, 65536), 20)
            if not chunk:
                raise AssertionError(f"{marker!r} not in {data!r}")
            data += chunk
        return data

    async def read_all(self) -> bytes:
        """Read until the end."""
        data = b""
        while chunk := await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.ours, 1 << 20), 20):
            data += chunk
        return data

    def close(self) -> None:
        """Close both ends."""
        self.ours.close()
        if self.theirs.fileno() >= 0:
            self.theirs.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_args: object) -> None:
        self.close()


def process_names() -> set[str]:
    """Names of all processes on the host."""
    names = set()
    for entry in os.listdir("/proc"):
        if entry.isdecimal():
            try:
                names.add(Path(f"/proc/{entry}/comm").read_text().strip())
            except OSError:
                continue
    return names
