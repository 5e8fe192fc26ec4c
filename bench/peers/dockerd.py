"""dockerd, with the containerd that it starts itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.peers.peer import DockerDriven


class Dockerd(DockerDriven):
    """Debian's docker.io or Docker's own docker-ce, as `dockerd` on the path, with its defaults."""

    name = "dockerd"

    def __init__(self, directory: Path, docker: Sequence[str], dockerd: str) -> None:
        """Use the program `dockerd`, a name or a path."""
        super().__init__(directory, docker)
        self._program = dockerd

    def missing(self) -> str | None:
        """Return what this host lacks for the peer, or None."""
        if shutil.which(self._program) is None:
            return f"{self._program} is not installed (Debian: apt-get install docker.io)"
        return None

    def version(self) -> str:
        """Return dockerd with the version that it answers with."""
        version = self.output("version", "--format", "{{.Server.Version}}")
        return f"dockerd {version}"

    def daemon_command(self) -> list[str]:
        """Return the command line of dockerd."""
        return [
            self._program,
            f"--host=unix://{self.socket}",
            f"--data-root={self.directory}/data",
            f"--exec-root={self.directory}/exec",
            f"--pidfile={self.directory}/pid",
            f"--cgroup-parent=/{self.cell.cgroup}",
        ]
