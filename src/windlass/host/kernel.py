"""Probes of the kernel and of this process's privileges."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable

from windlass.host.check import Absent, Limited
from windlass.linux.capabilities import CAPABILITIES, effective_capabilities
from windlass.linux.fs import openat2
from windlass.linux.mount import supports_detached_mounts
from windlass.spec.capabilities import DEFAULT_CAPABILITIES

PYTHON_NEEDED = (3, 11)
KERNEL_NEEDED = (5, 10)


def python() -> str:
    """Python is new enough."""
    if sys.version_info < PYTHON_NEEDED:
        raise Absent(platform.python_version())
    return platform.python_version()


def kernel() -> str:
    """The kernel is new enough, by its number."""
    release = os.uname().release
    major, minor = (int("".join(filter(str.isdecimal, part))) for part in release.split(".")[:2])
    if (major, minor) < KERNEL_NEEDED:
        raise Absent(release)
    return release


def machine() -> str:
    """The processor is one that Windlass has system call numbers for."""
    name = os.uname().machine
    if name not in ("x86_64", "aarch64"):
        raise Absent(name)
    return name


def superuser() -> str:
    """This process is root."""
    if os.geteuid() != 0:
        raise Absent(f"running as user {os.geteuid()}")
    return "running as root"


def namespace(kind: str) -> Callable[[], str]:
    """Return a probe for namespaces of `kind`, as /proc/self/ns spells it."""

    def probe() -> str:
        if not os.path.exists(f"/proc/self/ns/{kind}"):
            raise Absent("not in this kernel")
        return "present"

    return probe


def user_namespaces() -> str:
    """User namespaces exist, and may be made."""
    namespace("user")()
    if int(_read("/proc/sys/user/max_user_namespaces")) == 0:
        raise Absent("user.max_user_namespaces is 0")
    for switch, off in (
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ):
        if os.path.exists(switch) and _read(switch) == off:
            raise Limited(f"for root only ({os.path.basename(switch)} is {off})")
    return "present"


def overlay() -> str:
    """The overlay file system is there, or will be loaded when first mounted."""
    if any(line.split()[-1] == "overlay" for line in _read("/proc/filesystems").splitlines()):
        return "present"
    if _has_module("overlay"):
        return "a module, loaded on first use"
    raise Absent("not in this kernel")


def openat2_call() -> str:
    """Paths can be resolved below a root by the kernel (Linux 5.6)."""
    os.close(openat2(-100, b"/", os.O_PATH | os.O_DIRECTORY))
    return "present"


def pidfd() -> str:
    """Processes can be held by a descriptor (Linux 5.3)."""
    os.close(os.pidfd_open(os.getpid()))
    return "present"


def detached_mounts() -> str:
    """The mount API of Linux 5.2 to 5.12 is there."""
    if not supports_detached_mounts():
        raise Absent("fsopen and mount_setattr are not in this kernel")
    return "present"


def seccomp() -> str:
    """System calls can be filtered by a program."""
    if "errno" not in _read("/proc/sys/kernel/seccomp/actions_avail").split():
        raise Absent("the kernel has no seccomp filters")
    return "present"


def capability(name: str) -> Callable[[], str]:
    """Return a probe for the effective capability `name`, in the kernel's spelling."""

    def probe() -> str:
        if not effective_capabilities() >> CAPABILITIES.index(name) & 1:
            raise Absent("this process does not have it")
        return "present"

    return probe


def capabilities_of_containers() -> str:
    """Everything in Docker's default set can be given to a container."""
    held = effective_capabilities()
    lacking = [name for name in DEFAULT_CAPABILITIES if not held >> CAPABILITIES.index(name) & 1]
    if lacking:
        raise Limited("lacks " + " ".join(lacking))
    return f"all {len(DEFAULT_CAPABILITIES)} of the default set"


def _has_module(name: str) -> bool:
    directory = f"/lib/modules/{os.uname().release}"
    for index in ("modules.dep", "modules.builtin"):
        try:
            if f"/{name}.ko" in _read(f"{directory}/{index}"):
                return True
        except OSError:
            continue
    return False


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()
