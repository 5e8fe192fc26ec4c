"""Which namespaces a container has, shares or joins.

Source: Docker Engine API, HostConfig; namespaces(7).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import ContainerIntent
from windlass.spec.container import HostConfig
from windlass.spec.runtime import Namespace

_CONTAINER = "container:"


def joined_container(mode: str) -> str:
    """Return the container that a mode such as `container:web` names; empty when it names none."""
    return mode.removeprefix(_CONTAINER) if mode.startswith(_CONTAINER) else ""


def check_modes(*, ipc: str, pid: str, uts: str, userns: str, cgroupns: str) -> None:
    """Refuse modes that do not exist, in Docker's words.

    Raises:
        InvalidParameter: one of them.
    """
    if ipc not in ("", "none", "private", "shareable", "host") and not joined_container(ipc):
        raise InvalidParameter(f"invalid IPC mode: {ipc}")
    if pid not in ("", "host") and not joined_container(pid):
        raise InvalidParameter(f"invalid PID mode: {pid}")
    if uts not in ("", "host"):
        raise InvalidParameter(f"invalid UTS mode: {uts}")
    if userns not in ("", "host"):
        raise InvalidParameter(f"invalid user namespace mode: {userns}")
    if cgroupns not in ("", "host", "private"):
        raise InvalidParameter(f"invalid cgroup namespace mode: {cgroupns}")


def check_remapped(host: HostConfig) -> None:
    """Refuse what a container whose users are not the host's cannot have, in dockerd's words.

    Raises:
        InvalidParameter: one of them.
    """
    if host.privileged:
        raise InvalidParameter(
            "privileged mode is incompatible with user namespaces.  "
            "You must run the container in the host namespace when running privileged mode"
        )
    if host.network_mode == "host":
        raise InvalidParameter("cannot share the host's network namespace when user namespaces are enabled")
    if host.pid_mode == "host":
        raise InvalidParameter("cannot share the host PID namespace when user namespaces are enabled")


def cgroupns_default(*, privileged: bool, cgroup_version: int, configured: str = "") -> str:
    """Return the mode of a container that asks for none: what the engine is configured to, else the version's.

    On v2 every container has its own, a privileged one too. On v1 the field never had one, and a privileged container
    sees the host's whatever is configured.
    """
    if privileged and cgroup_version == 1:
        return "host"
    return configured or ("private" if cgroup_version == 2 else "host")


def lower_namespaces(intent: ContainerIntent) -> list[Namespace]:
    """List the namespaces; one that is not listed is the host's."""
    host = intent.host_config
    namespaces = [Namespace("mount")]
    if intent.network.mode != "host":
        namespaces.append(Namespace("network", intent.network.path))
    if intent.user_namespace.remapped:
        namespaces.append(Namespace("user", intent.user_namespace.path))
    if host.uts_mode != "host":
        namespaces.append(Namespace("uts"))
    namespaces += _joinable("pid", host.pid_mode, intent.pid_pid)
    namespaces += _joinable("ipc", host.ipc_mode, intent.ipc_pid)
    mode = host.cgroupns_mode or cgroupns_default(
        privileged=host.privileged,
        cgroup_version=intent.facts.cgroup_version,
        configured=intent.defaults.cgroupns_mode,
    )
    if mode == "private":
        namespaces.append(Namespace("cgroup"))
    return namespaces


def _joinable(kind: str, mode: str, pid: int) -> list[Namespace]:
    if mode == "host":
        return []
    if joined_container(mode):
        return [Namespace(kind, f"/proc/{pid}/ns/{kind}")]
    return [Namespace(kind)]
