"""The mounts of a container: the kernel's file systems, the engine's files, and what the user asked for.

Source: Docker's defaults; runtime-spec config-linux.md, "Default Filesystems".
"""

from __future__ import annotations

import msgspec

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.runtime import tmpfs
from windlass.runtime.intent import DEFAULT_SHM_SIZE, ContainerIntent, HostFacts, MountPoint
from windlass.runtime.mount_requests import DEFAULT_PROPAGATION, sort_mounts
from windlass.runtime.namespaces import joined_container
from windlass.runtime.security import SecurityOptions
from windlass.spec.runtime import Mount

_RECURSIVE_READ_ONLY_KERNEL = (5, 12)
# Stay writable in a container whose root is read-only.
_WRITABLE = frozenset({"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"})

MASKED_PATHS: tuple[str, ...] = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READONLY_PATHS: tuple[str, ...] = (
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
)

_RW_SAFE = ["rw", "nosuid", "noexec", "nodev"]
_RO_SAFE = ["ro", "nosuid", "noexec", "nodev"]


def lower_mounts(intent: ContainerIntent, security: SecurityOptions) -> list[Mount]:
    """List all mounts in the order in which they are made.

    Raises:
        InvalidParameter: tmpfs options that do not exist.
    """
    etc_files = _etc_files(intent)
    wanted = sort_mounts([*intent.mounts, *etc_files])
    taken = {point.destination for point in wanted}
    mounts = [mount for mount in _kernel_mounts(intent) if not _is_replaced(mount.destination, taken)]
    for point in wanted:
        mount = _lower_point(point, intent.facts)
        # What is the engine's has the ids of containers on the disk; a path of the host's has the host's.
        ours = point.type in ("volume", "image") or point in etc_files
        mounts.append(_mapped(mount) if ours and intent.user_namespace.remapped else mount)
    if intent.host_config.readonly_rootfs:
        mounts = [mount if mount.destination in _WRITABLE | taken else _read_only(mount) for mount in mounts]
    if intent.host_config.privileged:
        mounts = [_writable(mount) if mount.type in ("sysfs", "cgroup") else mount for mount in mounts]
    elif security.writable_cgroups:
        mounts = [_writable(mount) if mount.type == "cgroup" else mount for mount in mounts]
    return mounts


def default_masked_paths(facts: HostFacts) -> list[str]:
    """List what is hidden from every container; who can read when a processor throttles can tell what it works on."""
    throttled = range(facts.cpu_count) if facts.thermal_throttle else ()
    return [*MASKED_PATHS, *(f"/sys/devices/system/cpu/cpu{number}/thermal_throttle" for number in throttled)]


def masked_paths(intent: ContainerIntent, security: SecurityOptions) -> list[str]:
    """List the paths to hide; an explicit list wins, also over `privileged`."""
    if intent.host_config.masked_paths is not None:
        return intent.host_config.masked_paths
    if intent.host_config.privileged or not security.system_paths:
        return []
    return default_masked_paths(intent.facts)


def readonly_paths(intent: ContainerIntent, security: SecurityOptions) -> list[str]:
    """List the paths to make read-only."""
    if intent.host_config.readonly_paths is not None:
        return intent.host_config.readonly_paths
    if intent.host_config.privileged or not security.system_paths:
        return []
    return list(READONLY_PATHS)


def _kernel_mounts(intent: ContainerIntent) -> list[Mount]:
    mounts = [
        Mount("/proc", "proc", "proc", _RW_SAFE),
        Mount("/dev", "tmpfs", "tmpfs", ["rw", "nosuid", "strictatime", "mode=755", "size=65536k"]),
        Mount(
            "/dev/pts",
            "devpts",
            "devpts",
            ["rw", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        Mount("/sys", "sysfs", "sysfs", _RO_SAFE),
        Mount("/sys/fs/cgroup", "cgroup", "cgroup", _RO_SAFE),
    ]
    # The host's queues can only be mounted by the host's root.
    if not (intent.user_namespace.remapped and intent.host_config.ipc_mode == "host"):
        mounts.append(Mount("/dev/mqueue", "mqueue", "mqueue", _RW_SAFE))
    return mounts + _shared_memory(intent)


def _shared_memory(intent: ContainerIntent) -> list[Mount]:
    """/dev/shm follows the IPC mode: own, the host's, another container's, or none."""
    mode = intent.host_config.ipc_mode
    if mode == "none":
        return []
    if mode == "host":
        return [Mount("/dev/shm", "bind", "/dev/shm", ["rbind", DEFAULT_PROPAGATION])]
    if joined_container(mode):
        return [Mount("/dev/shm", "bind", f"/proc/{intent.ipc_pid}/root/dev/shm", ["bind", DEFAULT_PROPAGATION])]
    size = intent.host_config.shm_size or DEFAULT_SHM_SIZE
    return [Mount("/dev/shm", "tmpfs", "shm", [*_RW_SAFE, "mode=1777", f"size={size}"])]


def _is_replaced(destination: str, taken: set[str]) -> bool:
    """A user's mount replaces the default one, and a user's /dev everything below."""
    return destination in taken or ("/dev" in taken and destination.startswith("/dev/"))


def _etc_files(intent: ContainerIntent) -> list[MountPoint]:
    """The engine's own files, unless the user mounts over them."""
    read_only = intent.host_config.readonly_rootfs
    files = {
        "/etc/resolv.conf": intent.etc.resolv_conf,
        "/etc/hostname": intent.etc.hostname,
        "/etc/hosts": intent.etc.hosts,
    }
    taken = {point.destination for point in intent.mounts}
    return [
        MountPoint("bind", destination, source, read_only=read_only, propagation=DEFAULT_PROPAGATION)
        for destination, source in files.items()
        if source and destination not in taken
    ]


def _lower_point(point: MountPoint, facts: HostFacts) -> Mount:
    if point.type == "tmpfs":
        words = [*tmpfs.DEFAULT_OPTIONS, *filter(None, point.options.split(","))]
        return Mount(point.destination, "tmpfs", "tmpfs", tmpfs.merge_options(words))
    options = ["rbind" if point.recursive else "bind"]
    if point.read_only:
        deep = point.recursive and point.read_only_recursive and facts.kernel >= _RECURSIVE_READ_ONLY_KERNEL
        options.append("rro" if deep else "ro")
    if point.propagation or point.type != "volume":
        options.append(point.propagation or DEFAULT_PROPAGATION)
    return Mount(point.destination, "bind", _source(point), options)


def _source(point: MountPoint) -> str:
    """The host path, as its driver or the user gave it."""
    if not point.source.startswith("/"):
        raise InvalidParameter(f"mount {point.destination} has no source")
    if point.subpath:
        # A joined path would follow links that a container put into the volume (CVE-2017-1002101).
        raise NotSupported("mounting a subpath of a volume or image is not supported")
    return point.source


def _mapped(mount: Mount) -> Mount:
    """Show the ids of the source through the container's user namespace."""
    return msgspec.structs.replace(mount, options=[*mount.options, "idmap"])


def _read_only(mount: Mount) -> Mount:
    if "ro" in mount.options or "rro" in mount.options:
        return mount
    return msgspec.structs.replace(mount, options=[*mount.options, "ro"])


def _writable(mount: Mount) -> Mount:
    return msgspec.structs.replace(mount, options=[word for word in mount.options if word != "ro"])
