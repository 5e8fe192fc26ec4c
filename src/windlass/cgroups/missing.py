"""Warnings about limits that a host cannot enforce, in Docker's words.

Whoever asked decides what a missing limit is: the engine warns, the OCI runtime fails.
"""

from __future__ import annotations

from windlass.base.errors import NotSupported
from windlass.cgroups.model import MissingLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from windlass.cgroups.model import CgroupHost
    from windlass.cgroups.settings import Setting

_NOT_MOUNTED = "or the cgroup is not mounted."
_KERNEL = "Your kernel does not support"
_CFS = f"{_KERNEL} CPU CFS scheduler. CPU period/quota discarded."
_REALTIME = f"{_KERNEL} CPU real-time scheduler. CPU real-time period/runtime discarded."
_CPUSET = f"{_KERNEL} cpuset {_NOT_MOUNTED} Cpuset discarded."

# By field, or by the head of a field.
_TEXTS = {
    "/memory/limit": f"{_KERNEL} memory limit capabilities {_NOT_MOUNTED} Limitation discarded.",
    "/memory/swap": f"{_KERNEL} swap limit capabilities {_NOT_MOUNTED} Memory limited without swap.",
    "/memory/reservation": f"{_KERNEL} memory soft limit capabilities {_NOT_MOUNTED} Limitation discarded.",
    "/memory/swappiness": f"{_KERNEL} memory swappiness capabilities {_NOT_MOUNTED} Memory swappiness discarded.",
    "/memory/kernel": f"{_KERNEL} kernel memory limit capabilities {_NOT_MOUNTED} Limitation discarded.",
    "/memory/kernelTCP": f"{_KERNEL} kernel memory TCP limit capabilities {_NOT_MOUNTED} Limitation discarded.",
    "/memory/disableOOMKiller": f"{_KERNEL} OomKillDisable. OomKillDisable discarded.",
    "/pids/limit": f"{_KERNEL} PIDs limit capabilities {_NOT_MOUNTED} PIDs limit discarded.",
    "/cpu/shares": f"{_KERNEL} CPU shares {_NOT_MOUNTED} Shares discarded.",
    "/cpu/quota": _CFS,
    "/cpu/period": _CFS,
    "/cpu/realtimePeriod": _REALTIME,
    "/cpu/realtimeRuntime": _REALTIME,
    "/cpu/cpus": _CPUSET,
    "/cpu/mems": _CPUSET,
    "/blockIO/weight": f"{_KERNEL} Block I/O weight {_NOT_MOUNTED} Weight discarded.",
    "/blockIO/weightDevice": f"{_KERNEL} Block I/O weight_device {_NOT_MOUNTED} Weight-device discarded.",
    "/blockIO/throttleReadBpsDevice": f"{_KERNEL} BPS Block I/O read limit {_NOT_MOUNTED} BPS read limit discarded.",
    "/blockIO/throttleWriteBpsDevice": f"{_KERNEL} BPS Block I/O write limit {_NOT_MOUNTED} BPS write limit discarded.",
    "/blockIO/throttleReadIOPSDevice": f"{_KERNEL} IOPS Block I/O read limit {_NOT_MOUNTED} IOPS read limit discarded.",
    "/blockIO/throttleWriteIOPSDevice": (
        f"{_KERNEL} IOPS Block I/O write limit {_NOT_MOUNTED} IOPS write limit discarded."
    ),
}


def missing_warnings(missing: Iterable[MissingLimit]) -> tuple[str, ...]:
    """Say each missing thing once."""
    return tuple(dict.fromkeys(_text(limit) for limit in missing))


def _text(limit: MissingLimit) -> str:
    head = "/".join(limit.field.split("/")[:3])
    return _TEXTS.get(head) or f"{limit.field.lstrip('/')} discarded: {limit.reason}."


def refuse_missing(missing: Iterable[MissingLimit]) -> None:
    """Fail on the first missing thing.

    Raises:
        NotSupported: it names the field of config.json and what is missing.
    """
    for limit in missing:
        raise NotSupported(f"/linux/resources{limit.field}: {limit.reason}")


def limit_or_undo(
    limit: Callable[[], Iterable[MissingLimit]], undo: Callable[[], None], *, strict: bool
) -> tuple[str, ...]:
    """Give a new group its limits by `limit`, and return warnings about what it could not; undo when that fails.

    Raises:
        NotSupported: something is missing and `strict`.
    """
    try:
        missing = tuple(limit())
        if strict:
            refuse_missing(missing)
    except BaseException:
        undo()
        raise
    return missing_warnings(missing)


def missing_controllers(host: CgroupHost, settings: Iterable[Setting]) -> tuple[MissingLimit, ...]:
    """List the settings for which `host` has no controller, or no version of cgroups a file."""
    found = []
    for setting in settings:
        if setting.optional or setting.controller == "cgroup":
            continue
        if not host.has(setting.controller):
            reason = f"the {setting.controller} controller is not available"
            found.append(MissingLimit(setting.controller, setting.field, reason))
        elif not setting.choices:
            reason = f"the {setting.controller} controller of this version of cgroups has no such limit"
            found.append(MissingLimit(setting.controller, setting.field, reason))
    return tuple(found)
