"""The tars that the cases hand to engines."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import shutil
import subprocess
import tarfile
from pathlib import Path

_STAMP = "var/tmp/benchmark-stamp"
_READ_BYTES = 1 << 20


def write_busybox(path: Path, busybox: Path) -> None:
    """Write a root file system of `busybox`, a static program, with a link for each of its applets."""
    applets = subprocess.run([busybox, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"):
            tar.addfile(_directory(name))
        tar.add(busybox, "bin/busybox", recursive=False)
        for applet in sorted(set(applets) - {"busybox"}):
            tar.addfile(_link(f"bin/{applet}", "busybox"))
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        _add(tar, "etc/group", b"root:x:0:\n")


class FreshLayer:
    """A layer that can be made another one, with another digest, by rewriting its last member.

    An engine that still holds the layer of an earlier turn has no use for it.
    """

    def __init__(self, source: Path, copy: Path) -> None:
        """Copy the tar `source` to `copy`, which is what engines are given."""
        shutil.copyfile(source, copy)
        self.path = copy
        with tarfile.open(copy, "r:") as tar:
            for _ in tar:
                pass
            self._end = tar.offset
        self._stamp = 0

    def renew(self) -> Path:
        """Make it a layer that nobody has seen, and return its path."""
        self._stamp += 1
        with self.path.open("r+b") as file:
            file.seek(self._end)
            file.truncate()
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                _add(tar, _STAMP, str(self._stamp).encode())
        return self.path


def write_image(path: Path, layer: Path, reference: str) -> None:
    """Write what `docker save` writes for an image of one layer: `docker load` takes it everywhere.

    Source: Docker Image Specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
    """
    with layer.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(_READ_BYTES):
            digest.update(block)
    config = json.dumps(
        {
            "architecture": _architecture(),
            "os": "linux",
            "created": "2024-01-01T00:00:00Z",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]},
            "history": [{"created": "2024-01-01T00:00:00Z", "created_by": "benchmark"}],
        }
    ).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    member = f"{digest.hexdigest()}/layer.tar"
    manifest = [{"Config": name, "RepoTags": [f"{reference}:latest"], "Layers": [member]}]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, name, config)
        tar.add(layer, member, recursive=False)
        _add(tar, "manifest.json", json.dumps(manifest).encode())


def _architecture() -> str:
    """Return the machine in the words of Go."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _directory(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = tarfile.SYMTYPE, target, 0o777
    return member
