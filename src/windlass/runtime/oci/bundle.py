"""Bundles: a directory with a `config.json` and a root file system.

Source: runtime-spec bundle.md, config.md.
"""

from __future__ import annotations

import os

import msgspec

from windlass.base.errors import Conflict, InvalidParameter, NotFound
from windlass.linux.capabilities import CAPABILITIES
from windlass.spec.runtime import RuntimeSpec

_MAX_CONFIG_BYTES = 16 << 20
_DEFAULT_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
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


def read_spec(bundle: str) -> RuntimeSpec:
    """Return a bundle's configuration, its root path made absolute.

    Raises:
        NotFound: there is no config.json.
        InvalidParameter: it is not a runtime specification that this runtime can run.
    """
    path = os.path.join(bundle, "config.json")
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"JSON specification file {path} not found; `windlass-runtime spec` writes one") from None
    if len(data) > _MAX_CONFIG_BYTES:
        raise InvalidParameter(f"{path} is larger than {_MAX_CONFIG_BYTES} bytes")
    try:
        spec = msgspec.json.decode(data, type=RuntimeSpec)
    except msgspec.DecodeError as error:
        raise InvalidParameter(f"{path}: {error}") from None
    if spec.root is None or not spec.root.path:
        raise InvalidParameter(f"{path}: root.path must not be empty")
    root = os.path.realpath(os.path.join(bundle, spec.root.path))
    if not os.path.isdir(root):
        raise InvalidParameter(f"{path}: root.path {root} is not a directory")
    return msgspec.structs.replace(spec, root=msgspec.structs.replace(spec.root, path=root))


def write_default(bundle: str) -> None:
    """Write a config.json that runs `sh` in a bundle's `rootfs`.

    Raises:
        Conflict: there is one.
    """
    path = os.path.join(bundle, "config.json")
    data = msgspec.json.format(msgspec.json.encode(_default()), indent=2)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        raise Conflict(f"file {path} exists; remove it first") from None
    with open(fd, "wb") as file:
        file.write(data + b"\n")


def _default() -> dict[str, object]:
    capabilities = [name for name in CAPABILITIES if name in _DEFAULT_CAPABILITIES]
    return {
        "ociVersion": "1.2.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), capabilities),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": True},
        "hostname": "windlass",
        "mounts": _default_mounts(),
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": _MASKED,
            "readonlyPaths": _READONLY,
        },
    }


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
