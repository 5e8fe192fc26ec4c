"""The part of a launch plan that builds the root: mounts, devices, links.

Source: runtime-spec config.md, "Mounts", and config-linux.md, "Default Devices", "/dev symbolic links".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from windlass.linux import mount as m
from windlass.runtime.mount_options import MountOptions, parse_mount_options
from windlass.runtime.plan_facts import PlanFacts
from windlass.spec.plan import AnyOp, Bind, DevNode, MakeDir, MountFs, Symlink
from windlass.spec.runtime import Device, Mount, RuntimeSpec

_DEFAULT_NODES: tuple[tuple[str, int, int], ...] = (
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
)
_LINKS: tuple[tuple[str, str], ...] = (
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
)
_CGROUP_ROOT_ATTR = m.MOUNT_ATTR_NOSUID | m.MOUNT_ATTR_NODEV | m.MOUNT_ATTR_NOEXEC
_DEFAULT_NODE_MODE = 0o666


def plan_mounts(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    """List the steps from the bare root to one with everything mounted on it."""
    for mount in spec.mounts:
        options = parse_mount_options(mount.options)
        if mount.type in ("cgroup", "cgroup2") and not options.bind:
            yield from _cgroup(mount, options, facts)
        elif options.bind or mount.type == "bind":
            yield _bind(mount, options)
        else:
            yield _file_system(mount, options)
    if not _has_foreign_dev(spec):
        yield from _devices(spec, facts)


def cgroup_readonly_paths(spec: RuntimeSpec, facts: PlanFacts) -> list[str]:
    """List what must become read-only only after mounts were made on it: the tmpfs that holds v1's hierarchies."""
    if facts.cgroup_version != 1:
        return []
    return [mount.destination for mount in spec.mounts if mount.type == "cgroup" and "ro" in mount.options]


def _file_system(mount: Mount, options: MountOptions) -> MountFs:
    return MountFs(
        fstype=mount.type,
        target=mount.destination,
        source=mount.source,
        attr=options.attr_set,
        options=list(options.data),
        copy_up=options.copy_up,
    )


def _bind(mount: Mount, options: MountOptions) -> Bind:
    return Bind(
        source=mount.source,
        target=mount.destination,
        recursive=options.recursive,
        attr_set=options.attr_set,
        attr_clear=options.attr_clear,
        recursive_attr=options.recursive_attr,
        propagation=options.propagation,
    )


def _cgroup(mount: Mount, options: MountOptions, facts: PlanFacts) -> Iterator[AnyOp]:
    """Bind the container's own directories: the process joins only later, so a new mount would show the engine's."""
    if facts.cgroup_version != 1:
        for found in facts.cgroup_mounts[:1]:
            yield Bind(found.source, mount.destination, recursive=False, attr_set=options.attr_set)
        return
    yield MountFs("tmpfs", mount.destination, "tmpfs", _CGROUP_ROOT_ATTR, [("mode", "755")])
    for found in facts.cgroup_mounts:
        target = posixpath.join(mount.destination, found.name)
        yield Bind(found.source, target, recursive=False, attr_set=options.attr_set)
        for alias in found.aliases:
            yield Symlink(posixpath.join(mount.destination, alias), found.name)


def _has_foreign_dev(spec: RuntimeSpec) -> bool:
    """Tell whether /dev is somebody else's directory, which must not be filled."""
    return any(
        mount.destination.rstrip("/") == "/dev" and (mount.type == "bind" or parse_mount_options(mount.options).bind)
        for mount in spec.mounts
    )


def _devices(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    # A device that the specification names replaces the default one of that path.
    named = {device.path for device in spec.linux.devices}
    for path, major, minor in _DEFAULT_NODES:
        if path not in named:
            yield DevNode(path, "c", major, minor, _DEFAULT_NODE_MODE)
    for device in spec.linux.devices:
        yield _node(device)
    for path, content in _LINKS:
        yield Symlink(path, content)
    if facts.kcore:
        yield Symlink("/dev/core", "/proc/kcore")
    if not any(mount.destination == "/dev/pts" for mount in spec.mounts):
        yield MakeDir("/dev/pts")


def _node(device: Device) -> DevNode:
    mode = _DEFAULT_NODE_MODE if device.file_mode is None else device.file_mode
    return DevNode(device.path, device.type, device.major, device.minor, mode, device.uid, device.gid)
