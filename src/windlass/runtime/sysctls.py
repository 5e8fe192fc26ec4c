"""Kernel parameters of a container: only those that a namespace keeps to itself.

Source: runtime-spec config-linux.md, "Sysctl"; namespaces(7), ipc_namespaces(7). CVE-2022-0811: a parameter of the host
must not be reachable by a clever key.
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.runtime.intent import ContainerIntent

_IPC_KEYS = frozenset(
    {
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    }
)
_UTS_KEYS = frozenset({"kernel.domainname", "kernel.hostname"})
_KEY_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")

_PING_GROUPS = "net.ipv4.ping_group_range"
_DEFAULTS = {
    _PING_GROUPS: "0 2147483647",
    "net.ipv4.ip_unprivileged_port_start": "0",
}


def lower_sysctls(intent: ContainerIntent) -> dict[str, str]:
    """Return the defaults of a private network, overridden by what was asked for.

    Raises:
        InvalidParameter: a parameter that is not the container's own.
    """
    values: dict[str, str] = {}
    if intent.network.mode in ("private", "none"):
        values = {key: value for key, value in _DEFAULTS.items() if key in intent.facts.sysctls}
        if intent.user_namespace.remapped and values.pop(_PING_GROUPS, ""):
            # The kernel takes groups that exist inside only.
            groups = sum(mapping.size for mapping in intent.user_namespace.gids)
            values |= {_PING_GROUPS: f"0 {groups - 1}"} if groups else {}
    return values | dict(intent.host_config.sysctls or {})


def check_sysctls(sysctls: Mapping[str, str], namespaces: frozenset[str]) -> list[tuple[str, str]]:
    """Return (key with dots, value) pairs, all of which belong to one of the container's own `namespaces`.

    Raises:
        InvalidParameter: malformed, or shared with the host.
    """
    return [(_check(key, value, namespaces), value) for key, value in sysctls.items()]


def _check(key: str, value: str, namespaces: frozenset[str]) -> str:
    name = _dotted(key)
    if not _is_key(name) or "\n" in value or "\0" in value:
        raise InvalidParameter(f'invalid sysctl: "{key}"')
    if name in _IPC_KEYS or name.startswith("fs.mqueue."):
        if "ipc" not in namespaces:
            raise InvalidParameter(f'sysctl "{key}" is not allowed in the hosts ipc namespace')
    elif name.startswith("net."):
        if "network" not in namespaces:
            raise InvalidParameter(f'sysctl "{key}" not allowed in host network namespace')
    elif name not in _UTS_KEYS or "uts" not in namespaces:
        raise InvalidParameter(f'sysctl "{key}" is not in a separate kernel namespace')
    return name


def _dotted(key: str) -> str:
    """Turn `net/ipv4/ip_forward` into `net.ipv4.ip_forward`: whichever separator comes first is the separator."""
    first = next((letter for letter in key if letter in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def _is_key(name: str) -> bool:
    """Tell whether components are as procfs has them; a dot inside one (an interface `eth0.1`) is a slash."""
    parts = name.replace("/", ".").split(".")
    return len(parts) > 1 and all(part and _KEY_CHARACTERS.issuperset(part) for part in parts)
