"""Security options, capabilities, sysctls and namespaces.

Source: https://docs.docker.com/reference/cli/docker/container/run/#security-opt
"""

from __future__ import annotations

from windlass.cli.create.files import go_error

_SYSCTLS = frozenset(
    (
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    )
)
_SYSCTL_TREES = ("net.", "fs.mqueue.")
_BARE_OPTIONS = ("no-new-privileges",)


def sysctl(text: str) -> str:
    """Check one `--sysctl`: only what a namespace keeps to itself; raises ValueError."""
    name, equals, _ = text.partition("=")
    if equals and (name in _SYSCTLS or name.startswith(_SYSCTL_TREES)):
        return text
    raise ValueError(f"sysctl '{text}' is not allowed")


def security_options(values: list[str]) -> tuple[list[str], bool]:
    """Return SecurityOpt, and whether the masking of system paths is to be lifted; raises ValueError.

    A seccomp profile named by path is read here: the engine may be on another host.
    """
    options: list[str] = []
    unmasked = False
    for text in values:
        if text == "systempaths=unconfined":
            unmasked = True
            continue
        name, separator, value = text.partition("=")
        if not separator and text not in _BARE_OPTIONS:
            name, separator, value = text.partition(":")
            if not separator:
                raise ValueError(f'Invalid --security-opt: "{text}"')
        if name == "seccomp" and value not in ("unconfined", "builtin"):
            text = f"seccomp={_compact_profile(value)}"
        options.append(text)
    return options, unmasked


def _compact_profile(path: str) -> str:
    from windlass.client.json_text import dumps, loads

    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise ValueError(f"opening seccomp profile ({path}) failed: {go_error('open', path, error)}") from None
    try:
        return dumps(loads(raw))
    except ValueError as error:
        raise ValueError(f"compacting json for seccomp profile ({path}) failed: {error}") from None


def capabilities(values: list[str]) -> list[str]:
    """Return capabilities by their full names, each once, sorted, ALL alone in the lead."""
    full = set()
    for text in values:
        name = text.strip().upper()
        full.add(name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}")
    return sorted(full)


def check_namespaces(pid: str, uts: str, userns: str, cgroupns: str) -> None:
    """Raise ValueError for a namespace mode that no engine knows."""
    container, _, name = pid.partition(":")
    if pid not in ("", "host") and not (container == "container" and name):
        raise ValueError("--pid: invalid PID mode")
    if uts not in ("", "host"):
        raise ValueError("--uts: invalid UTS mode")
    if userns not in ("", "host"):
        raise ValueError("--userns: invalid USER mode")
    if cgroupns not in ("", "host", "private"):
        raise ValueError("--cgroupns: invalid CGROUP mode")
