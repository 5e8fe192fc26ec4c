"""`windlass-runtime` on bundles that tests write: its own state directory, control groups that the watch knows."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from tests.support.leaks import OUR_CGROUPS

_TIMEOUT_S = 30
# As ./windlass runs it: without the packages of others.
PROGRAM = [sys.executable, "-I", "-S", str(Path(__file__).parents[2] / "src/windlass/__main__.py"), "runtime"]


class OciRuntime:
    """The command line, with state below `directory`."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "state"
        self.environment = dict(os.environ)

    def command(self, *argv: str) -> list[str]:
        """The command of `argv`."""
        return [*PROGRAM, "--root", str(self.root), *argv]

    def __call__(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run one command to its end, its output read as text."""
        options = {"env": self.environment, "timeout": _TIMEOUT_S, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run(self.command(*argv), capture_output=True, text=True, **options)

    def write_to(self, file: IO[str], *argv: str) -> int:
        """Run one command with `file` as both streams, as a caller does that leaves it to the container."""
        return subprocess.run(
            self.command(*argv),
            env=self.environment,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        ).returncode

    def leave(self, *argv: str) -> None:
        """Run one command whose container stays when it ends."""
        with tempfile.TemporaryFile("w+") as output:
            status = self.write_to(output, *argv)
            output.seek(0)
            assert status == 0, output.read()

    def start(self, name: str, **options: Any) -> None:
        """Start a created container and wait for its end."""
        pidfd = os.pidfd_open(json.loads(self("state", name).stdout)["pid"])
        try:
            started = self("start", name, **options)
            assert started.returncode == 0, started.stderr
            select.select([pidfd], [], [], _TIMEOUT_S)
        finally:
            os.close(pidfd)

    def run(self, bundle: Path, name: str = "c", **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a bundle's container to its end."""
        return self("run", "--bundle", str(bundle), name, **options)


def write_bundle(bundle: Path, args: list[str], name: str = "c", **changes: Any) -> Path:
    """Write a config.json that runs `args` in `bundle`/rootfs; `changes` are members, `linux__sysctl` one of `linux`.

    It has the mounts of a usual container; `mounts` adds some, `only_mounts` are all of them.
    """
    only = changes.pop("only_mounts", None)
    config: dict[str, Any] = {
        "ociVersion": "1.2.0",
        "process": {
            "args": args,
            "cwd": "/",
            "env": ["PATH=/bin"],
            "user": {"uid": 0, "gid": 0},
            "capabilities": capabilities("CAP_CHOWN", "CAP_DAC_OVERRIDE"),
        },
        "root": {"path": "rootfs"},
        "mounts": [*(_MOUNTS if only is None else only), *changes.pop("mounts", [])],
        "linux": {
            "cgroupsPath": f"/{OUR_CGROUPS}-{os.getpid()}-{name}",
            "namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "uts", "network")],
            "resources": {},
        },
    }
    for member, value in changes.items():
        section, _, inner = member.partition("__")
        if inner:
            config[section][inner] = value
        else:
            config[section] = value
    bundle.mkdir(parents=True, exist_ok=True)
    (bundle / "config.json").write_text(json.dumps(config))
    return bundle


def capabilities(*names: str) -> dict[str, list[str]]:
    """The sets of capabilities that give a process these."""
    return {member: list(names) for member in ("bounding", "effective", "permitted")}


PROC = {"destination": "/proc", "type": "proc", "source": "proc"}
_MOUNTS = [
    PROC,
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
]
