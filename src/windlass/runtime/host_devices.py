"""Looking up device nodes of the host."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import HostDevice
from windlass.spec.container import DeviceMapping, HostConfig

# Directories of /dev that a container has of its own, and nodes that lead to its own terminals.
_SKIPPED_DIRECTORIES = frozenset({"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"})
_SKIPPED_NODES = frozenset({"/dev/console", "/dev/ptmx"})
_ACCESSES = frozenset("rwm")


def resolve_devices(host_config: HostConfig) -> list[HostDevice]:
    """Look up the devices that a container shall have: those mapped, or every one of a privileged container's host.

    Raises:
        InvalidParameter: a mapped path is no device, or its permissions are malformed.
    """
    mapped: list[HostDevice] = []
    for mapping in host_config.devices or ():
        access = "rwm" if host_config.privileged else _access(mapping)
        if not (host_config.privileged and _same_place(mapping)):
            mapped += _from_path(mapping.path_on_host, mapping.path_in_container or mapping.path_on_host, access)
    if host_config.privileged:
        return [*_walk("/dev", "/dev", "rwm"), *mapped]
    return mapped


def resolve_block_devices(host_config: HostConfig) -> dict[str, tuple[int, int]]:
    """Look up (major, minor) of every path in the block I/O limits.

    Raises:
        InvalidParameter: a path cannot be looked at.
    """
    listed = (
        host_config.blkio_weight_device,
        host_config.blkio_device_read_bps,
        host_config.blkio_device_write_bps,
        host_config.blkio_device_read_iops,
        host_config.blkio_device_write_iops,
    )
    numbers = {}
    for path in (entry.path for entries in listed for entry in entries or ()):
        try:
            device = os.stat(path).st_rdev
        except OSError as error:
            raise InvalidParameter(f"stat {path}: {(error.strerror or '').lower()}") from error
        numbers[path] = (os.major(device), os.minor(device))
    return numbers


def _access(mapping: DeviceMapping) -> str:
    access = mapping.cgroup_permissions or "rwm"
    if not set(access) <= _ACCESSES or len(set(access)) != len(access):
        raise InvalidParameter(f"invalid device mode: {access}")
    return access


def _same_place(mapping: DeviceMapping) -> bool:
    return mapping.path_in_container in ("", mapping.path_on_host)


def _from_path(host_path: str, container_path: str, access: str) -> list[HostDevice]:
    """One device, or all below a directory; a symbolic link is followed."""
    resolved = os.path.realpath(host_path)
    try:
        status = os.stat(resolved)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise InvalidParameter(
            f'error gathering device information while adding custom device "{host_path}": {reason}'
        ) from error
    if device := _device(container_path, status, access):
        return [device]
    if stat.S_ISDIR(status.st_mode) and (found := list(_walk(resolved, container_path, access))):
        return found
    raise InvalidParameter(
        f'error gathering device information while adding custom device "{host_path}": not a device node'
    )


def _walk(top: str, seen_at: str, access: str) -> Iterable[HostDevice]:
    """Every device below `top`, symbolic links not followed."""
    for directory, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name not in _SKIPPED_DIRECTORIES)
        for name in sorted(files):
            path = os.path.join(directory, name)
            if path in _SKIPPED_NODES:
                continue
            try:
                status = os.lstat(path)
            except OSError:
                continue
            place = seen_at + path[len(top) :]
            device = _device(place, status, access)
            if device is not None and device.kind != "p":
                yield device


def _device(path: str, status: os.stat_result, access: str) -> HostDevice | None:
    kinds = {stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p"}
    kind = kinds.get(stat.S_IFMT(status.st_mode))
    if kind is None:
        return None
    return HostDevice(
        path,
        kind,
        os.major(status.st_rdev),
        os.minor(status.st_rdev),
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        access,
    )
