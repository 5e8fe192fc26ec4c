"""Bundles: a directory with a `config.json` and a root file system.

Source: runtime-spec bundle.md, config.md.
"""

from __future__ import annotations

import os
import stat

from windlass.base.errors import Conflict, InvalidParameter, NotFound
from windlass.runtime.oci.validate import ignore, parse_config
from windlass.runtime.oci.validate_fault import Fault
from windlass.spec.struct import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.spec.runtime import Mount, RuntimeSpec

_MAX_CONFIG_BYTES = 16 << 20
_DEFAULT_CAPABILITIES = ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"]
_MASKED = [
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/scsi",
    "/sys/firmware",
]
_READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def read_spec(bundle: str, warn: Callable[[str], None] = ignore) -> RuntimeSpec:
    """Return a bundle's configuration: valid, its root and the sources of its binds absolute.

    Args:
        bundle: the absolute path of its directory.
        warn: hears of what is ignored and is no error.

    Raises:
        NotFound: there is no config.json.
        InvalidParameter: it is not a runtime specification, at the member that the text names.
        NotSupported: it is one, and this host or this runtime cannot do what the member asks for.
    """
    spec = parse_config(_read(os.path.join(bundle, "config.json")), warn)
    assert spec.root is not None
    root = os.path.realpath(os.path.join(bundle, spec.root.path))
    if not os.path.isdir(root):
        raise Fault("/root/path", f"{root} is not a directory").error("config.json")
    return replace(
        spec,
        root=replace(spec.root, path=root),
        mounts=[_with_absolute_source(mount, bundle) for mount in spec.mounts],
    )


def _read(path: str) -> bytes:
    try:
        # Not to wait for the writer of a FIFO.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound(f"JSON specification file {path} not found; `windlass-runtime spec` writes one") from None
    with open(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InvalidParameter(f"{path} is not a regular file")
        data = file.read(_MAX_CONFIG_BYTES + 1)
    if len(data) > _MAX_CONFIG_BYTES:
        raise InvalidParameter(f"{path} is larger than {_MAX_CONFIG_BYTES} bytes")
    return data


def _with_absolute_source(mount: Mount, bundle: str) -> Mount:
    """Sources of binds are relative to the bundle."""
    bind = mount.type == "bind" or not {"bind", "rbind"}.isdisjoint(mount.options)
    if not bind or mount.source.startswith("/"):
        return mount
    return replace(mount, source=os.path.join(bundle, mount.source))


def write_default(bundle: str, *, rootless: bool = False) -> None:
    """Write a config.json that runs `sh` in a bundle's `rootfs`; with `rootless`, one that needs no privileges.

    Raises:
        Conflict: there is one.
    """
    import json

    path = os.path.join(bundle, "config.json")
    config = _default()
    if rootless:
        config |= {"mounts": _rootless_mounts(), "linux": _rootless_linux()}
    text = json.dumps(config, indent=2)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise Conflict(f"file {path} exists; remove it first") from None
    with open(fd, "wb") as file:
        file.write(text.encode() + b"\n")


def _default() -> dict[str, object]:
    return {
        "ociVersion": "1.2.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), _DEFAULT_CAPABILITIES),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "windlass",
        "mounts": _default_mounts(),
        "linux": _linux("pid", "network", "ipc", "uts", "mount", "cgroup"),
    }


def _linux(*namespaces: str) -> dict[str, object]:
    return {
        "namespaces": [{"type": kind} for kind in namespaces],
        "maskedPaths": _MASKED,
        "readonlyPaths": _READONLY,
    }


def _rootless_linux() -> dict[str, object]:
    """A user namespace with one id, ours, and the host's network: nobody gives an ordinary user another one."""

    def only(number: int) -> list[dict[str, int]]:
        return [{"containerID": 0, "hostID": number, "size": 1}]

    return {
        "uidMappings": only(os.geteuid()),
        "gidMappings": only(os.getegid()),
        **_linux("pid", "ipc", "uts", "mount", "cgroup", "user"),
    }


def _rootless_mounts() -> list[dict[str, object]]:
    """Without the group of terminals, which is not mapped; /sys is that of the host's network, and only bound."""
    sys: dict[str, object] = {
        "destination": "/sys",
        "type": "none",
        "source": "/sys",
        "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
    }
    mounts = [mount for mount in _default_mounts() if mount["destination"] != "/sys"]
    for mount in mounts:
        if mount["type"] == "devpts":
            mount["options"] = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
    return [*mounts, sys]


def _default_mounts() -> list[dict[str, object]]:
    safe = ["nosuid", "noexec", "nodev"]
    return [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {
            "destination": "/dev/shm",
            "type": "tmpfs",
            "source": "shm",
            "options": [*safe, "mode=1777", "size=65536k"],
        },
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": safe},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*safe, "ro"]},
    ]
