"""Engines with `--userns-remap`, without a change to the host's /etc."""

from __future__ import annotations

import os
import shlex
import struct
import tarfile
from pathlib import Path

from tests.support.daemon import PrivateDaemon
from tests.support.rootfs import make_busybox_root

FIRST = 2_000_000
COUNT = 65_536
RANGES = f"nobody:{FIRST}:{COUNT}"
OTHER_RANGES = f"nobody:3000000:1000\nnobody:3100000:{COUNT - 1000}"

# struct vfs_cap_data of revision 2 with CAP_CHOWN permitted and effective, as an image carries it. Source:
# linux/capability.h.
_CHOWN_CAPABILITY = struct.pack("<IIIII", 0x02000001, 1, 0, 0, 0)
# geteuid(); exit(its low byte)
_EXIT_WITH_EUID = bytes.fromhex("b86b0000000f0589c7b83c0000000f05")
_LOAD_ADDRESS = 0x400000


def with_own_etc(directory: Path, argv: list[str], before: str) -> list[str]:
    """A command that runs shell words `before`, then `argv`, in a mount namespace where /etc is a copy to write to."""
    upper, work = directory / "etc-upper", directory / "etc-work"
    for path in (upper, work):
        path.mkdir(parents=True, exist_ok=True)
    overlay = f"mount -t overlay overlay -o lowerdir=/etc,upperdir={upper},workdir={work} /etc"
    return ["unshare", "--mount", "sh", "-ec", f"{overlay}\n{before}\nexec {shlex.join(argv)}"]


class RemappedDaemon(PrivateDaemon):
    """An engine with `--userns-remap`, whose user `nobody` has subordinate ids in an /etc of its own."""

    def __init__(self, directory: Path, number: int = 0, ranges: str = RANGES) -> None:
        super().__init__(directory, number)
        self.use(ranges)

    def use(self, ranges: str) -> None:
        """Remap to other ranges from the next start on; without, to none."""
        self.extra = ["--userns-remap=nobody:nogroup"] if ranges else []
        self._ranges = ranges

    def command(self) -> list[str]:
        """Its command line."""
        if not self._ranges:
            return super().command()
        before = f"echo {shlex.quote(self._ranges)} | tee /etc/subuid > /etc/subgid"
        return with_own_etc(self.directory, super().command(), before)

    def pid(self, name: str) -> int:
        """The host pid of a container's process."""
        return int(self.docker("inspect", "--format", "{{.State.Pid}}", name).stdout)

    def sh(self, name: str, script: str, *flags: str) -> str:
        """Run a script in a running container; its output, both streams."""
        result = self.docker("exec", *flags, name, "sh", "-c", script, check=False)
        return result.stdout + result.stderr


def user_namespace(pid: int) -> int:
    """The inode of a process's user namespace."""
    return os.stat(f"/proc/{pid}/ns/user").st_ino


def privileged_files_tar(directory: Path) -> Path:
    """A busybox root with `/bin/euid` set-uid root, and `/bin/chown` a program with CAP_CHOWN."""
    root = make_busybox_root(directory / "root")
    (root / "bin/chown").unlink()
    (root / "bin/chown").write_bytes((root / "bin/busybox").read_bytes())
    (root / "bin/chown").chmod(0o755)
    (root / "bin/euid").write_bytes(_program(_EXIT_WITH_EUID))
    (root / "bin/euid").chmod(0o4755)
    path = directory / "privileged.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in sorted(root.iterdir()):
            tar.add(entry, entry.name, filter=_with_capability)
    return path


def _with_capability(member: tarfile.TarInfo) -> tarfile.TarInfo:
    if member.name == "bin/chown":
        value = _CHOWN_CAPABILITY.decode("utf-8", "surrogateescape")
        member.pax_headers = {"SCHILY.xattr.security.capability": value}
    return member


def _program(code: bytes) -> bytes:
    """An x86_64 ELF file of one executable segment. Source: System V ABI, "Object Files"."""
    start = 64 + 56
    size = start + len(code)
    identity = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", identity, 2, 62, 1, _LOAD_ADDRESS + start, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code
