"""The inputs of the cases: images and files, the same for every peer, made once in a run or once on a host."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.archives import FreshLayer, write_busybox

COPIED_BYTES = 100 << 20
BUSYBOX = "localhost/wlbench-busybox"
DEBIAN = "localhost/wlbench-debian"

LINE_BYTES = 65
LINES_BYTES = 500_000_000 // LINE_BYTES * LINE_BYTES
_LINES_PER_WRITE = 10_000

_DEBOOTSTRAP = ("debootstrap", "--variant=minbase", "bookworm")


class MaterialError(Exception):
    """An input cannot be made on this host; the text says what to do."""


@dataclass(frozen=True)
class Materials:
    """Where inputs come from. Each is made when a case first asks for it."""

    directory: Path
    """Of this run: it is removed at the end."""
    cache: Path
    """Of this host: it stays."""
    busybox: Path
    """A static busybox."""
    debian: Path | None
    """A tar of a Debian root file system, or None to make one by debootstrap and keep it in the cache."""

    @cached_property
    def busybox_tar(self) -> Path:
        """A root file system of busybox and its applets."""
        path = self.directory / "busybox.tar"
        write_busybox(path, self.busybox)
        return path

    @cached_property
    def layer(self) -> FreshLayer:
        """The Debian root file system as a tar that no engine has seen. Raises `MaterialError`."""
        return FreshLayer(self.debian or self._cached_debian(), self.directory / "debian.tar")

    @cached_property
    def lines(self) -> Path:
        """A file of `LINES_BYTES`, lines of text of `LINE_BYTES` each."""
        path = self.directory / "lines"
        with path.open("wb") as file:
            left = LINES_BYTES // LINE_BYTES
            while left:
                count = min(left, _LINES_PER_WRITE)
                file.write(b"".join(_line(number) for number in range(count)))
                left -= count
        return path

    @cached_property
    def random_file(self) -> Path:
        """A file of `COPIED_BYTES` that nothing compresses."""
        path = self.directory / "random"
        with path.open("wb") as file:
            for _ in range(COPIED_BYTES >> 20):
                file.write(os.urandom(1 << 20))
        return path

    def _cached_debian(self) -> Path:
        path = self.cache / "debian-bookworm-minbase.tar"
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            _debootstrap(path, self.directory / "debootstrap")
        return path


def _line(number: int) -> bytes:
    text = b"%08d the quick brown fox jumps over the lazy dog, then looks back" % number
    return text[: LINE_BYTES - 1].ljust(LINE_BYTES - 1, b".") + b"\n"


def _debootstrap(path: Path, scratch: Path) -> None:
    """Write a minimal Debian to `path`, by way of the directory `scratch`. Takes about a minute.

    Raises:
        MaterialError: the tool is not there, or failed.
    """
    if shutil.which(_DEBOOTSTRAP[0]) is None:
        raise MaterialError("no debootstrap to make a Debian root with; install it, or pass --debian-tar FILE")
    # The tool mounts things in the new root; they end with this namespace.
    argv = ["unshare", "--mount", "--propagation", "private", "--", *_DEBOOTSTRAP, str(scratch)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise MaterialError(f"debootstrap failed: {done.stdout.strip()[-400:]}; or pass --debian-tar FILE")
    partial = path.with_suffix(".partial")
    with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(scratch, ".", filter=_without_devices)
    os.rename(partial, path)
    shutil.rmtree(scratch)


def _without_devices(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.isdev() else member
