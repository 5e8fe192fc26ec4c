"""Windlass itself: by the stock docker CLI like dockerd, and by its own command line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.cell import Cell
from bench.contestant import Contestant
from bench.peers.peer import DockerDriven
from bench.process import CommandError, output


class Windlass(DockerDriven):
    """The engine of this checkout, with its defaults, driven by the docker CLI."""

    name = "windlass"

    def __init__(self, directory: Path, docker: Sequence[str], windlass: Sequence[str]) -> None:
        """Use the command line `windlass` for the daemon and for the client."""
        super().__init__(directory, docker)
        self.program = list(windlass)

    def missing(self) -> str | None:
        """Return why `windlass` does not run, or None. Its first use in a checkout installs what it needs."""
        if shutil.which(self.program[0]) is None:
            return f"{self.program[0]} is not there"
        try:
            output([*self.program, "--version"], os.environ)
        except CommandError as error:
            return str(error)
        return None

    def version(self) -> str:
        """Return windlass with the version that its daemon answers with."""
        version = self.output("version", "--format", "{{.Server.Version}}")
        return f"windlass {version}"

    def daemon_command(self) -> list[str]:
        """Return the command line of windlassd."""
        return [
            *self.program,
            "daemon",
            f"--host=unix://{self.socket}",
            f"--data-root={self.directory}/data",
            f"--exec-root={self.directory}/exec",
            f"--pidfile={self.directory}/pid",
            f"--cgroup-parent=/{self.cell.cgroup}",
        ]


class OwnClient(Contestant):
    """The same daemon, driven by the `windlass` command."""

    name = "windlass CLI"

    def __init__(self, windlass: Windlass) -> None:
        """Drive the daemon of `windlass`."""
        self._windlass = windlass

    @property
    def cell(self) -> Cell:
        """Where the processes of the engine are."""
        return self._windlass.cell

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of its commands."""
        return self._windlass.environment

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for `windlass VERB ARGUMENTS`."""
        return [*self._windlass.program, "-H", f"unix://{self._windlass.socket}", verb, *arguments]
