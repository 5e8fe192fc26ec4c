"""The environment of a container's processes.

Source: Docker, "Environment variables": PATH, HOSTNAME, TERM and HOME are set by the engine (HOME by init, which knows
the user).
"""

from __future__ import annotations

from collections.abc import Iterable

from windlass.spec.container import ContainerConfig

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def override_environment(base: Iterable[str], overrides: Iterable[str]) -> list[str]:
    """Replace entries of `base` in place, append new ones; a name without `=` removes the entry."""
    merged = {entry.partition("=")[0]: entry for entry in base}
    for entry in overrides:
        name, separator, _ = entry.partition("=")
        if separator:
            merged[name] = entry
        else:
            merged.pop(name, None)
    return list(merged.values())


def container_environment(config: ContainerConfig) -> list[str]:
    """Return the environment of a container's first process."""
    base = [f"PATH={DEFAULT_PATH}", f"HOSTNAME={config.hostname}"]
    if config.tty:
        base.append("TERM=xterm")
    return override_environment(base, config.env or ())


def exec_environment(container: Iterable[str], extra: Iterable[str], *, tty: bool) -> list[str]:
    """Return the environment of one more process: the container's, TERM for a terminal, then `extra`.

    The container's TERM is its own terminal's and does not count.
    """
    base = [entry for entry in container if not entry.startswith("TERM=")]
    if tty:
        base.append("TERM=xterm")
    return override_environment(base, extra)
