"""Which namespaces the containers are in, with whom, and which processes they have: what lsns(8) and nsenter(1) need.

Source: namespaces(7), proc_pid_ns(5), proc_pid_status(5).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

import msgspec

from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.container import Container
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning

TYPES = ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts")
_HOST = "host"
_MAX_COMMAND_BYTES = 4096


class NamespaceUse(msgspec.Struct, frozen=True, rename="pascal"):
    """One namespace of a container by its inode, and who else is in it: `host`, or names of containers."""

    type: str
    inode: int
    shared_with: list[str]


class ProcessView(msgspec.Struct, frozen=True, rename="pascal"):
    """One process: its pid on the host and in its own pid namespace, its user's number, its arguments."""

    pid: int
    inner_pid: int
    uid: int
    command: str


class ContainerNamespaces(msgspec.Struct, frozen=True, rename="pascal"):
    """A running container; `pid` is its first process's, on the host."""

    id: str
    name: str
    pid: int
    namespaces: list[NamespaceUse]
    processes: list[ProcessView]


async def list_namespaces(engine: Engine, references: Collection[str]) -> list[ContainerNamespaces]:
    """Describe the named containers, or all that run, by name.

    Raises:
        NoSuchContainer, AmbiguousPrefix, NotRunning: of one that is named.
    """
    named = [engine.containers.get(reference) for reference in references]
    for container in named:
        if not container.state.is_running:
            raise NotRunning(container.id)
    running = [container for container in engine.containers if container.state.is_running]
    wanted = {container.id for container in named or running}
    return await run_blocking(_describe, sorted(running, key=lambda container: container.name), wanted)


def _describe(running: Iterable[Container], wanted: Collection[str]) -> list[ContainerNamespaces]:
    found = [(container, inodes(container.state.pid)) for container in running]
    members: dict[tuple[str, int], list[str]] = {(kind, inode): [_HOST] for kind, inode in inodes(os.getpid()).items()}
    for container, own in found:
        for key in own.items():
            members.setdefault(key, []).append(container.name)
    return [
        ContainerNamespaces(
            container.id,
            container.name,
            container.state.pid,
            [NamespaceUse(*key, [name for name in members[key] if name != container.name]) for key in own.items()],
            processes(container.cgroup),
        )
        for container, own in found
        # One without namespaces has ended meanwhile.
        if own and container.id in wanted
    ]


def inodes(pid: int) -> dict[str, int]:
    """Return the inodes of a process's namespaces by type; empty when it is gone."""
    found = {}
    for kind in TYPES:
        try:
            # A link such as `net:[4026531840]`.
            found[kind] = int(os.readlink(f"/proc/{pid}/ns/{kind}").partition("[")[2].rstrip("]"))
        except OSError:
            continue
    return found


def processes(cgroup: Cgroup | None) -> list[ProcessView]:
    """List the processes of a control group by pid; those that end meanwhile are left out. Blocks."""
    pids = sorted(cgroup.processes()) if cgroup is not None else []
    return [view for pid in pids if (view := _process(pid)) is not None]


def _process(pid: int) -> ProcessView | None:
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            arguments = file.read(_MAX_COMMAND_BYTES)
        return ProcessView(
            pid,
            int(status["NSpid"].split()[-1]),
            int(status["Uid"].split()[0]),
            _printable(arguments) or f"[{status['Name'].strip()}]",
        )
    except (OSError, KeyError):
        return None


def _printable(arguments: bytes) -> str:
    """Join arguments; what a program calls itself must not reach a terminal as commands."""
    text = arguments.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
