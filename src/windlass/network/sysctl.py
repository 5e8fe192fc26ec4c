"""Kernel settings of the network namespace of the calling thread, under /proc/sys/net."""

from __future__ import annotations

from windlass.network.errors import NetworkSetupFailed

_ROOT = "/proc/sys/net/"


def read(name: str) -> str | None:
    """Return a setting, as in `ipv4/ip_forward`; None when the kernel has no such setting."""
    try:
        with open(_ROOT + name, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return None


def ensure(name: str, value: str) -> bool:
    """Make a setting `value` and tell whether it had to be changed; a setting the kernel lacks is left alone.

    Raises:
        NetworkSetupFailed: it differs and may not be written (a read-only /proc/sys).
    """
    current = read(name)
    if current is None or current == value:
        return False
    try:
        with open(_ROOT + name, "w", encoding="ascii") as file:
            file.write(value)
    except OSError as error:
        setting = "net." + name.replace("/", ".")
        raise NetworkSetupFailed(f"cannot set {setting} to {value}: {error.strerror}") from error
    return True


def ephemeral_ports() -> tuple[int, int] | None:
    """Return the first and last port that the kernel picks from for itself, or None when it does not tell."""
    words = (read("ipv4/ip_local_port_range") or "").split()
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return None
    return int(words[0]), int(words[1])
