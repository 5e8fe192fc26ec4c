"""Where things are.

<data-root>/containers/<id>/        one container's own files, gone with it
    rootfs/                         mount point of its overlay, empty on the host
    upper/ work/                    what it wrote
    hostname hosts resolv.conf      bound over its /etc
    <id>-json.log local-logs/       its output
    container-cached.log            its output, where that is sent elsewhere
<data-root>/volumes/<name>/_data
<data-root>/trash/                  renamed here at once, deleted in the background
<run-root>/containers/<id>/         its supervisor's socket and pid
<run-root>/runtimes/<name>/         other OCI runtimes' state
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """The engine's directories."""

    data_root: str
    run_root: str

    @property
    def database(self) -> str:
        """The metadata file."""
        return f"{self.data_root}/db/meta.sqlite"

    @property
    def layers(self) -> str:
        """Unpacked image layers, by short name."""
        return f"{self.data_root}/layers"

    @property
    def containers(self) -> str:
        """The containers' directories."""
        return f"{self.data_root}/containers"

    @property
    def volumes(self) -> str:
        """The local volumes' directories."""
        return f"{self.data_root}/volumes"

    @property
    def trash(self) -> str:
        """What is being deleted."""
        return f"{self.data_root}/trash"

    def runtime_state(self, name: str) -> str:
        """Where another OCI runtime keeps what it knows of our containers."""
        return f"{self.run_root}/runtimes/{name}"

    def container(self, container_id: str) -> ContainerPaths:
        """One container's files."""
        return ContainerPaths(container_id, f"{self.containers}/{container_id}", f"{self.run_root}/containers")


@dataclass(frozen=True, slots=True)
class ContainerPaths:
    """One container's files."""

    id: str
    base: str
    run_base: str

    @property
    def rootfs(self) -> str:
        """Where its overlay is mounted, in its own mount namespace only."""
        return f"{self.base}/rootfs"

    @property
    def upper(self) -> str:
        """The overlay's writable layer."""
        return f"{self.base}/upper"

    @property
    def work(self) -> str:
        """The overlay's work directory."""
        return f"{self.base}/work"

    @property
    def hostname(self) -> str:
        """Bound at /etc/hostname."""
        return f"{self.base}/hostname"

    @property
    def hosts(self) -> str:
        """Bound at /etc/hosts."""
        return f"{self.base}/hosts"

    @property
    def resolv_conf(self) -> str:
        """Bound at /etc/resolv.conf."""
        return f"{self.base}/resolv.conf"

    @property
    def log(self) -> str:
        """The json-file log."""
        return f"{self.base}/{self.id}-json.log"

    @property
    def local_log(self) -> str:
        """The log of the driver `local`."""
        return f"{self.base}/local-logs/container.log"

    @property
    def cached_log(self) -> str:
        """What a remote log driver was given, for whoever asks here."""
        return f"{self.base}/container-cached.log"

    @property
    def exit_record(self) -> str:
        """Written by the supervisor when the container's process has ended."""
        return f"{self.run}/exit.json"

    @property
    def run(self) -> str:
        """The supervisor's runtime directory."""
        return f"{self.run_base}/{self.id}"

    @property
    def bundle(self) -> str:
        """Made by the supervisor for another OCI runtime, and there until that has deleted the container."""
        return f"{self.run}/bundle"

    @property
    def pid(self) -> str:
        """Written by the supervisor: init's pid and its own."""
        return f"{self.run}/pid"


def make_roots(paths: Paths) -> None:
    """Make the engine's directories. Blocks.

    0710 and 0711: the host's users shall not reach what containers write (CVE-2021-41089, CVE-2021-41091).
    """
    for path, mode in (
        (paths.data_root, 0o710),
        (paths.containers, 0o710),
        (paths.trash, 0o700),
        (paths.volumes, 0o711),
        (paths.run_root, 0o711),
        (f"{paths.run_root}/containers", 0o700),
    ):
        os.makedirs(path, mode, exist_ok=True)
        os.chmod(path, mode)
