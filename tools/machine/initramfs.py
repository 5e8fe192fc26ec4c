"""The first files of the machine: an archive of busybox, modules and two scripts, as cpio's "newc".

Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

_MAGIC = "070701"
_END = "TRAILER!!!"
_GUEST = Path(__file__).with_name("guest")


def initramfs(busybox: str, modules: Iterable[tuple[str, bytes]], settings: str) -> bytes:
    """Return the archive; `settings` are shell assignments that the scripts read."""
    names = []
    parts = [_entry(each, stat.S_IFDIR | 0o755) for each in ("bin", "dev", "proc", "sys", "modules", "root", "guest")]
    parts.append(_entry("bin/busybox", stat.S_IFREG | 0o755, Path(busybox).read_bytes()))
    for name, content in modules:
        names.append(name)
        parts.append(_entry(f"modules/{name}.ko", stat.S_IFREG | 0o644, content))
    parts.append(_entry("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in names).encode()))
    for script in sorted(_GUEST.iterdir()):
        target = "init" if script.name == "init" else f"guest/{script.name}"
        parts.append(_entry(target, stat.S_IFREG | 0o755, script.read_bytes()))
    parts.append(_entry("guest/settings", stat.S_IFREG | 0o644, settings.encode()))
    parts.append(_entry(_END, 0))
    return b"".join(parts)


def _entry(name: str, mode: int, content: bytes = b"") -> bytes:
    path = name.encode() + b"\0"
    # ino, mode, uid, gid, nlink, mtime, size, device (2), rdev (2), length of the name, checksum
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    head = _MAGIC.encode() + b"".join(b"%08X" % field for field in fields) + path
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
