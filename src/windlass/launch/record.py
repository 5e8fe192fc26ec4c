"""What a supervisor leaves behind on disk, and what it reads of the container's end."""

from __future__ import annotations

import os


def write_atomically(path: str, data: bytes) -> None:
    """Make `path` hold `data`: whole or not at all."""
    temporary = f"{path}.{os.getpid()}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
    os.rename(temporary, path)


def oom_killed(path: str) -> bool:
    """Tell from `memory.oom_control` (v1) or `memory.events` (v2) whether the kernel killed for memory."""
    if not path:
        return False
    try:
        with open(path, encoding="ascii") as file:
            return any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in file)
    except OSError:
        return False
