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


def oom_kills(path: str) -> int:
    """Return from `memory.oom_control` (v1) or `memory.events` (v2) how often the kernel killed for memory."""
    if not path:
        return 0
    try:
        with open(path, encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
    except OSError:
        return 0
