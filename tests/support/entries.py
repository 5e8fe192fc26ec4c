"""Every way by which a process gets into a container, behind one interface.

The engine's launcher and `windlass-runtime`, for the first process and for one more: what holds for a hostile root must
hold by each of them.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.launching import Bench
from tests.support.lowered import Lowered, lowered
from tests.support.oci_runtime import OciRuntime, capabilities, write_bundle

from windlass.linux.capabilities import CAPABILITIES
from windlass.runtime.lower_exec import ExecIntent
from windlass.runtime.task import StartFailed
from windlass.spec.container import ContainerConfig, HostConfig

FIRST = ("engine run", "oci run", "oci create")
ENTRIES = (*FIRST, "engine exec", "oci exec")
_WAIT = ["sleep", "1000"]


class Refused(Exception):
    """The process was not started."""


@dataclass
class Entry:
    """One of ENTRIES, with a root of its own that a test may spoil before it is used."""

    kind: str
    bench: Bench
    directory: Path
    root: Path
    number: int = 0

    @property
    def is_engine(self) -> bool:
        """Whether it is the engine's launcher."""
        return self.kind.startswith("engine")

    async def output(
        self,
        args: Sequence[str],
        *,
        cwd: str = "/",
        privileged: bool = False,
        config: ContainerConfig | None = None,
        host: HostConfig | None = None,
        oci: dict[str, Any] | None = None,
    ) -> str:
        """Run `args` and return what they wrote on both streams.

        `config` and `host` are for the engine, `oci` changes the bundle as `write_bundle` does.

        Raises:
            Refused: with the reason.
        """
        self.number += 1
        if self.is_engine:
            config = config or ContainerConfig(hostname="c", working_dir=cwd)
            return await self._engine(args, cwd, config, host or HostConfig(privileged=privileged))
        changes = {**(oci or {})}
        if privileged:
            changes["process__capabilities"] = capabilities(*CAPABILITIES)
        return await asyncio.to_thread(self._oci, args, cwd, changes)

    # --- the engine's launcher ------------------------------------------------------------------------

    async def _engine(self, args: Sequence[str], cwd: str, config: ContainerConfig, host: HostConfig) -> str:
        self.bench.lower = self.root
        if self.kind == "engine run":
            async with self._lowered(args, config, host) as container:
                data, _ = await self.bench.run(container.plan)
                return data.decode(errors="replace")
        start = ContainerConfig(hostname="c", user=config.user, env=config.env)
        async with self._lowered(_WAIT, start, host) as container:
            task = await container.start()
            try:
                return await container.exec(task, ExecIntent(list(args), working_dir=cwd, privileged=host.privileged))
            finally:
                await task.kill(9)
                await task.wait()

    @asynccontextmanager
    async def _lowered(self, args: Sequence[str], config: ContainerConfig, host: HostConfig) -> AsyncIterator[Lowered]:
        try:
            async with lowered(self.bench, args, config=config, host=host, name=f"c{self.number}") as container:
                yield container
        except StartFailed as failed:
            raise Refused(failed.message) from failed

    # --- the OCI runtime ------------------------------------------------------------------------------

    def _oci(self, args: Sequence[str], cwd: str, changes: dict[str, Any]) -> str:
        runtime = OciRuntime(self.directory)
        bundle = self.directory / f"bundle{self.number}"
        name = f"c{self.number}"
        first = self.kind != "oci exec"
        changes = {"process__cwd": cwd if first else "/", "root": {"path": str(self.root)}, **changes}
        write_bundle(bundle, list(args) if first else _WAIT, name, **changes)
        log = self.directory / f"log{self.number}"
        output = self.directory / f"output{self.number}"
        try:
            if self.kind == "oci run":
                self._call(runtime, log, output, "run", "--bundle", str(bundle), name)
            elif self.kind == "oci create":
                self._call(runtime, log, output, "create", "--bundle", str(bundle), name)
                runtime.start(name)
            else:
                self._call(runtime, log, output, "run", "--detach", "--bundle", str(bundle), name)
                self._call(runtime, log, output, "exec", "--cwd", cwd, name, *args)
            return output.read_text(errors="replace")
        finally:
            runtime("delete", "--force", name)

    def _call(self, runtime: OciRuntime, log: Path, output: Path, *argv: str) -> None:
        with open(output, "a") as file:
            runtime.write_to(file, "--log", str(log), *argv)
        assert "Traceback" not in output.read_text(errors="replace")
        said = log.read_text() if log.exists() else ""
        if "level=error" in said:
            raise Refused(said)


def make_entry(kind: str, bench: Bench, directory: Path) -> Entry:
    """Return an entry with a copy of the bench's root."""
    directory.mkdir(exist_ok=True)
    root = directory / "hostile"
    shutil.copytree(bench.lower, root, symlinks=True)
    return Entry(kind, bench, directory, root)


def mounts_below(directory: Path) -> list[str]:
    """The mounts of the host that have to do with `directory`; others come and go."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(directory) in line]
