"""podman, which has no daemon: its own command line is the engine."""

from __future__ import annotations

import shutil

from bench.peers.peer import Peer
from bench.process import output

# Beyond the command line of docker, per verb. Podman asks for limits above those of the caller by default, which fails
# without CAP_SYS_RESOURCE; its logs may go to journald, which writes no file; its `rm` first waits for a polite end.
_CREATION = ("--ulimit=host", "--pull=never")
_LOG_DRIVER = "--log-driver=k8s-file"
_REMOVAL = ("--time=0",)


class Podman(Peer):
    """Podman as root, with runc and cgroupfs, which are also dockerd's."""

    name = "podman"

    def missing(self) -> str | None:
        """Return what this host lacks for the peer, or None."""
        absent = [program for program in ("podman", "runc") if shutil.which(program) is None]
        return f"{' and '.join(absent)} not installed (Debian: apt-get install podman runc)" if absent else None

    def version(self) -> str:
        """Return podman and runc with their versions."""
        podman = output(["podman", "--version"], self.environment)
        runc = output(["runc", "--version"], self.environment).splitlines()[0]
        return f"{podman.replace(' version', '')} with {runc.replace(' version', '')}"

    def daemon_command(self) -> None:
        """Return None: there is no daemon."""

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for `podman VERB ARGUMENTS` in the cell, with what podman needs besides."""
        argv = ["podman", f"--root={self.directory}/data", f"--runroot={self.directory}/run"]
        argv += [f"--tmpdir={self.directory}/tmp", "--cgroup-manager=cgroupfs", "--runtime=runc", verb]
        if verb == "run":
            argv += [*_CREATION, f"--cgroup-parent=/{self.cell.cgroup}"]
            if not any(argument.startswith("--log-driver") for argument in arguments):
                argv.append(_LOG_DRIVER)
        elif verb == "rm":
            argv += _REMOVAL
        return self.cell.inside([*argv, *arguments])
