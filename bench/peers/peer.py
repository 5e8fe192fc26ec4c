"""What every peer has: a cell, a directory below which it keeps everything, and a start that waits for an answer."""

from __future__ import annotations

import os
import subprocess
import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench.cell import Cell
from bench.contestant import Contestant
from bench.materials import BUSYBOX, Materials
from bench.process import CommandError

_START_TIMEOUT_S = 60.0
_LOOK_AGAIN_S = 0.05
_LOG_TAIL_BYTES = 600


class PeerError(Exception):
    """A peer is not on this host, or did not start; the text says why."""


class Peer(Contestant):
    """An engine of this benchmark's own, in a cell, with an empty store below a directory of its own."""

    def __init__(self, directory: Path) -> None:
        """Use `directory` for everything the engine writes; make nothing yet."""
        self.directory = directory
        self._cell: Cell | None = None
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def cell(self) -> Cell:
        """Where the processes of the engine are, once it has started."""
        assert self._cell is not None, "not started"
        return self._cell

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of its commands: no setting of the user's reaches a client or a daemon."""
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.directory), "LC_ALL": "C.UTF-8"}

    def start(self) -> None:
        """Start the engine and wait until it answers.

        Raises:
            PeerError: it ended, or did not answer in time; the text has the end of its log.
            CellError: the host does not let us make namespaces.
        """
        self.directory.mkdir()
        self._cell = Cell(self.name)
        argv = self.daemon_command()
        if argv is not None:
            with (self.directory / "daemon.log").open("wb") as log:
                self._daemon = subprocess.Popen(
                    self._cell.inside(argv),
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        self._wait_until_ready()

    def furnish(self, materials: Materials) -> None:
        """Give it the image that the cases run. Raises `CommandError`."""
        self.output("import", str(materials.busybox_tar), BUSYBOX)

    def close(self) -> None:
        """End the engine and all of its containers, however far it had come. Raises `CellError` when that fails."""
        try:
            if self._cell is not None:
                self._cell.close()
        finally:
            if self._daemon is not None:
                self._daemon.kill()
                self._daemon.wait()

    def log_tail(self) -> str:
        """Return the end of what the daemon has logged."""
        try:
            return (self.directory / "daemon.log").read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    @abstractmethod
    def missing(self) -> str | None:
        """Return what this host lacks for the peer, or None."""

    @abstractmethod
    def version(self) -> str:
        """Return one line on what is measured, such as "dockerd 20.10.24". Raises `CommandError`."""

    @abstractmethod
    def daemon_command(self) -> list[str] | None:
        """Return the command line of the daemon, or None for a peer without one."""

    def _wait_until_ready(self) -> None:
        """Ask for the version until there is an answer."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                self.output("version")
                return
            except CommandError as error:
                if self._daemon is not None and self._daemon.poll() is not None:
                    raise PeerError(f"{self.name} ended at once: {self.log_tail()}") from error
                if self._daemon is None or time.monotonic() > deadline:
                    raise PeerError(f"{self.name} does not answer: {error}: {self.log_tail()}") from error
            time.sleep(_LOOK_AGAIN_S)


class DockerDriven(Peer):
    """An engine that the stock docker CLI drives over a unix socket."""

    def __init__(self, directory: Path, docker: Sequence[str]) -> None:
        """Use the command line `docker` as the client."""
        super().__init__(directory)
        self.socket = directory / "api.sock"
        self._docker = list(docker)

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for `docker VERB ARGUMENTS`."""
        return [*self._docker, "-H", f"unix://{self.socket}", verb, *arguments]
