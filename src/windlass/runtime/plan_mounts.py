"""The part of a launch plan that builds the root: mounts, devices, links.

Source: runtime-spec config.md, "Mounts", and config-linux.md, "Default Devices", "/dev symbolic links".
"""

from __future__ import annotations

import posixpath

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.linux import mount as m
from windlass.runtime.mount_options import MountOptions, parse_mount_options
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.plan_namespaces import id_ranges
from windlass.spec.plan import AnyOp, Bind, DevNode, MakeDir, MountFs, Remount, Symlink
from windlass.spec.runtime import Device, Mount, RuntimeSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
# The group `tty` of every distribution.
_TERMINAL_GROUP = 5
# File systems that take a SELinux context for all of their files.
_LABELLED = frozenset({"tmpfs", "devpts", "mqueue", "ramfs", "shm"})


def plan_mounts(spec: RuntimeSpec, facts: PlanFacts) -> Iterator[AnyOp]:
    """List the steps from the bare root to one with everything mounted on it.

    Raises:
        InvalidParameter: options that contradict each other or the rest.
        NotSupported: a SELinux label on a host without.
    """
    if spec.linux.mount_label and "selinux" not in facts.security_modules:
        raise NotSupported("mountLabel is specified in config, but selinux is disabled or not supported")
    for mount in spec.mounts:
        options = parse_mount_options(mount.options)
        if options.remount:
            yield Remount(mount.destination, options.attr_set, options.attr_clear, list(options.data))
        elif mount.type in ("cgroup", "cgroup2") and not options.bind:
            yield from _cgroup(mount, options, facts)
        elif options.bind or mount.type == "bind":
            yield _bind(mount, options, spec)
        else:
            yield _file_system(mount, options, spec)
    if not _has_foreign_dev(spec):
        yield from _devices(spec, facts)


def cgroup_readonly_paths(spec: RuntimeSpec, facts: PlanFacts) -> list[str]:
    """List what must become read-only only after mounts were made on it: the tmpfs that holds v1's hierarchies."""
    if facts.cgroup_version != 1:
        return []
    return [mount.destination for mount in spec.mounts if mount.type == "cgroup" and "ro" in mount.options]


def _file_system(mount: Mount, options: MountOptions, spec: RuntimeSpec) -> MountFs:
    if options.idmap or mount.uid_mappings:
        raise InvalidParameter(f"mount {mount.destination}: only a bind mount can map ids")
    data = list(options.data)
    if mount.type == "devpts" and not _maps_group(spec, _TERMINAL_GROUP):
        data = [(key, value) for key, value in data if (key, value) != ("gid", str(_TERMINAL_GROUP))]
    if spec.linux.mount_label and mount.type in _LABELLED:
        data.append(("context", spec.linux.mount_label))
    return MountFs(
        fstype=mount.type,
        target=mount.destination,
        source=mount.source,
        attr=options.attr_set,
        options=data,
        copy_up=options.copy_up,
        propagation=options.propagation,
        recursive_attr_set=options.recursive_attr_set,
        recursive_attr_clear=options.recursive_attr_clear,
    )


def _maps_group(spec: RuntimeSpec, gid: int) -> bool:
    """Tell whether a group exists inside; with mappings that are not known, it is taken to."""
    ranges = spec.linux.gid_mappings
    return not ranges or any(one.container_id <= gid < one.container_id + one.size for one in ranges)


def _bind(mount: Mount, options: MountOptions, spec: RuntimeSpec) -> Bind:
    idmap = options.idmap or bool(mount.uid_mappings or mount.gid_mappings)
    if bool(mount.uid_mappings) != bool(mount.gid_mappings):
        raise InvalidParameter(f"mount {mount.destination}: uidMappings and gidMappings go together")
    if idmap and not mount.uid_mappings and not any(one.type == "user" for one in spec.linux.namespaces):
        raise InvalidParameter(f"mount {mount.destination}: idmap needs mappings, or a user namespace")
    return Bind(
        source=mount.source,
        target=mount.destination,
        recursive=options.recursive,
        attr_set=options.attr_set,
        attr_clear=options.attr_clear,
        recursive_attr_set=options.recursive_attr_set,
        recursive_attr_clear=options.recursive_attr_clear,
        propagation=options.propagation,
        idmap=idmap,
        recursive_idmap=options.recursive_idmap,
        uid_map=id_ranges(mount.uid_mappings),
        gid_map=id_ranges(mount.gid_mappings),
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
