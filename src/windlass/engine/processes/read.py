"""One process or thread of /proc.

What its owner can choose (its name, its arguments) is bounded, and harmless on a terminal.

Source: proc_pid_stat(5), proc_pid_status(5).
"""

from __future__ import annotations

import os
import pwd
import time
from dataclasses import dataclass
from functools import cached_property

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TEXT_LIMIT = 32 * 1024


@dataclass(frozen=True)
class Process:
    """A process; for a thread, `thread` is its id and `stat` its own. Times in seconds."""

    pid: int
    thread: int
    name: str
    stat: tuple[str, ...]
    boot_s: float
    now_s: float

    def number(self, position: int) -> int:
        """Return field `position` of what follows the name in `stat`, 0 is the state."""
        return int(self.stat[position])

    @property
    def cpu_s(self) -> float:
        """CPU time."""
        return (self.number(11) + self.number(12)) / _TICKS

    @property
    def started_s(self) -> float:
        """Its start, since the epoch."""
        return self.boot_s + self.number(19) / _TICKS

    @property
    def age_s(self) -> float:
        """How long it has lived."""
        return max(0.0, self.now_s - self.started_s)

    @property
    def resident_bytes(self) -> int:
        """Its resident memory."""
        # `stat` has a count that lags behind.
        exact = self.status.get("VmRSS", "")
        return int(exact.split()[0]) * 1024 if exact else self.number(21) * _PAGE

    @cached_property
    def status(self) -> dict[str, str]:
        """The members of `status`."""
        lines = (line.partition(":") for line in _read(f"/proc/{self.pid}/status").splitlines())
        return {key: value.strip() for key, _, value in lines}

    @cached_property
    def arguments(self) -> str:
        """Its command line, or its name in brackets."""
        text = _read(f"/proc/{self.pid}/cmdline").rstrip("\0").replace("\0", " ")
        return _printable(text) or f"[{self.name}]"

    def ids(self, kind: str) -> list[int]:
        """Return real, effective, saved and filesystem ids; `kind` is `Uid` or `Gid`."""
        return [int(value) for value in self.status.get(kind, "").split()] or [0] * 4

    def file(self, name: str) -> str:
        """Return a one-line file of the process."""
        return _printable(_read(f"/proc/{self.pid}/{name}").strip("\0\n"))


def read_processes(pids: list[int], *, threads: bool) -> list[Process]:
    """Return what is still there of `pids`; with `threads`, a row for each thread. Blocks."""
    now_s = time.time()
    boot_s = now_s - float(_read("/proc/uptime").split()[0])
    found = []
    for pid in sorted(pids):
        for thread in _threads(pid) if threads else (pid,):
            text = _read(f"/proc/{pid}/task/{thread}/stat" if threads else f"/proc/{pid}/stat")
            name, _, rest = text.partition("(")[2].rpartition(")")
            if rest:
                found.append(Process(pid, thread, _printable(name), tuple(rest.split()), boot_s, now_s))
    return found


def _threads(pid: int) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return []


def user_name(uid: int) -> str:
    """Return a user's name on the host, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def terminal(device: int) -> str:
    """Return a terminal's name. Source: Linux's devices.txt."""
    major, minor = os.major(device), os.minor(device)
    if 136 <= major <= 143:
        return f"pts/{(major - 136) * 256 + minor}"
    return f"tty{minor}" if major == 4 and minor < 64 else "?"


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_TEXT_LIMIT)
    except OSError:
        return ""
