"""What `info` tells of the host, read when it is asked for. Everything here blocks."""

from __future__ import annotations

import platform


def machine_id() -> str:
    """Return the id of this installation; empty where there is none. Source: machine-id(5)."""
    return _first_line("/etc/machine-id")


def ip_forwarding() -> bool:
    """Tell whether the host routes."""
    return _first_line("/proc/sys/net/ipv4/ip_forward") == "1"


def operating_system() -> str:
    """Return the distribution's name and version. Source: os-release(5)."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"


def file_system(path: str) -> str:
    """Return the type of the file system that holds `path`, as docker spells it. Source: proc_pid_mountinfo(5)."""
    best, found = "", "unknown"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields, _, tail = line.partition(" - ")
            point = fields.split(" ")[4]
            inside = point == "/" or path == point or path.startswith(f"{point}/")
            # A later mount on the same place covers an earlier one.
            if inside and len(point) >= len(best):
                best, found = point, tail.partition(" ")[0]
    return "extfs" if found in ("ext2", "ext3", "ext4") else found


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except OSError:
        return ""
