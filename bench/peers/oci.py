"""OCI runtimes, without any engine: each runs the same bundle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.materials import Materials
from bench.peers.peer import Peer
from bench.process import output

_SAFE = ["nosuid", "noexec", "nodev"]
_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
_NAMESPACES = ("pid", "network", "ipc", "uts", "mount")


class OciRuntime(Peer):
    """A runtime's command line. Its control groups lie below those of its cell, in which nothing else of it lives."""

    def __init__(self, name: str, directory: Path, program: Sequence[str]) -> None:
        """Use the command line `program`."""
        super().__init__(directory)
        self.name = name
        self._program = list(program)

    def missing(self) -> str | None:
        """Return what this host lacks for the peer, or None."""
        if shutil.which(self._program[0]) is None:
            return f"{self._program[0]} is not installed (Debian: apt-get install runc crun)"
        return None

    def version(self) -> str:
        """Return the first line that the runtime says of itself."""
        return output([*self._program, "--version"], os.environ).splitlines()[0].replace(" version", "")

    def daemon_command(self) -> None:
        """Return None: there is no daemon."""

    def furnish(self, materials: Materials) -> None:
        """Make the bundle, and see that it runs."""
        bundle = self.directory / "bundle"
        (bundle / "rootfs").mkdir(parents=True)
        output(["tar", "-C", str(bundle / "rootfs"), "-xf", str(materials.busybox_tar)], os.environ)
        (bundle / "config.json").write_text(json.dumps(_config(f"/{self.cell.cgroup}/bundle")))
        self.output("run")

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for `RUNTIME VERB`, on the bundle where it is `run`."""
        if verb == "version":
            return [*self._program, "--version"]
        of_bundle = ["--bundle", str(self.directory / "bundle")] if verb == "run" else []
        return [*self._program, "--root", str(self.directory / "state"), verb, *of_bundle, *arguments, "wlbench"]


def _config(cgroups_path: str) -> dict[str, Any]:
    """Return a configuration such as `runc spec` writes, for `true` in place of a shell."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["true"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), _CAPABILITIES),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "wlbench",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            _tmpfs("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
            },
            _tmpfs("/dev/shm", "shm", *_SAFE, "mode=1777", "size=65536k"),
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": _SAFE},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*_SAFE, "ro"]},
        ],
        "linux": {
            "cgroupsPath": cgroups_path,
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in _NAMESPACES],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    }


def _tmpfs(destination: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": "tmpfs", "source": source, "options": list(options)}
