"""The table of checks: everything that Windlass needs or uses of a host."""

from __future__ import annotations

from windlass.host import kernel, network, resources
from windlass.host.check import Check, examine

_NEWER_KERNEL = "use Linux 5.10 or newer (Debian 11, Ubuntu 22.04)"
_OTHER_KERNEL = "use a kernel that has it: apt-get install linux-image-amd64 (Debian) or linux-generic (Ubuntu)"
_AS_ROOT = "run windlassd as root, with sudo"
_PRIVILEGED = "start windlassd where this capability is not taken away"

_NAMESPACES = tuple(
    Check(f"namespaces: {title}", kernel.namespace(kind), f"{loss}", _OTHER_KERNEL, mandatory=True)
    for kind, title, loss in (
        ("mnt", "mount", "a container would see the host's file systems"),
        ("pid", "pid", "a container would see the host's processes"),
        ("net", "network", "a container would share the host's network"),
        ("ipc", "ipc", "a container would share the host's message queues and shared memory"),
        ("uts", "uts", "a container could not have its own host name"),
        ("cgroup", "cgroup", "a container would see the host's control groups"),
    )
)

_CONTROLLERS = tuple(
    Check(f"cgroup controller: {name}", resources.controller(name), cost, remedy)
    for name, cost, remedy in (
        ("memory", "--memory and the memory figures of stats do not work", "boot with cgroup_enable=memory"),
        ("cpu", "--cpus and --cpu-shares do not work", _OTHER_KERNEL),
        ("cpuset", "--cpuset-cpus does not work", _OTHER_KERNEL),
        ("pids", "--pids-limit does not work: a fork bomb hits the host", _OTHER_KERNEL),
        ("io", "--blkio-weight and the block figures of stats do not work", _OTHER_KERNEL),
    )
)

_CAPABILITIES = tuple(
    Check(f"capability: {name}", kernel.capability(name), cost, remedy, mandatory)
    for name, cost, remedy, mandatory in (
        ("CAP_SYS_ADMIN", "nothing can be mounted and no namespace made", _AS_ROOT, True),
        ("CAP_NET_ADMIN", "no container can have a network of its own", _AS_ROOT, True),
        (
            "CAP_SYS_RESOURCE",
            "--ulimit above windlassd's own hard limits and --oom-score-adj below its own score are refused, and the "
            "limit of open files cannot be raised",
            _PRIVILEGED,
            False,
        ),
    )
)

_KERNEL = (
    Check("Python", kernel.python, "Windlass does not start", "apt-get install python3.11 python3.11-venv", True),
    Check("machine", kernel.machine, "system calls have unknown numbers", "use x86_64 or aarch64", True),
    Check("Linux", kernel.kernel, "calls that containers are built from are not there", _NEWER_KERNEL, True),
    Check("root", kernel.superuser, "the engine cannot make containers (the client works)", _AS_ROOT, True),
    *_NAMESPACES,
    Check(
        "namespaces: user",
        kernel.user_namespaces,
        "users of a container cannot be mapped to others of the host",
        "sysctl -w user.max_user_namespaces=15000",
    ),
    Check("overlay file system", kernel.overlay, "no container can have a root", _OTHER_KERNEL, True),
)  # fmt: skip

_FEATURES = (
    Check("openat2", kernel.openat2_call, "paths inside an image cannot be resolved safely", _NEWER_KERNEL, True),
    Check("pidfd", kernel.pidfd, "the end of a process cannot be waited for reliably", _NEWER_KERNEL, True),
    Check("mount API", kernel.detached_mounts, "recursive read-only bind mounts do not work", _NEWER_KERNEL),
    Check("seccomp", kernel.seccomp, "containers may make every system call", _OTHER_KERNEL),
    Check(
        "libseccomp",
        resources.library("libseccomp.so.2"),
        "containers start only with --security-opt seccomp=unconfined",
        "apt-get install libseccomp2",
    ),
    Check("control groups", resources.control_groups, "no limit on memory, processors or processes works",
          "mount -t cgroup2 none /sys/fs/cgroup"),
    *_CONTROLLERS,
    *_CAPABILITIES,
    Check("capabilities of containers", kernel.capabilities_of_containers,
          "containers get fewer capabilities than Docker's default", _PRIVILEGED),
    Check("nftables", network.nftables, "only --network none and host work", _OTHER_KERNEL),
    Check("link kind: bridge", network.bridge_links, "only --network none and host work", _OTHER_KERNEL),
    Check("link kind: veth", network.veth_links, "only --network none and host work", _OTHER_KERNEL),
    Check("IPv4 forwarding", network.forwarding, "containers reach only this host", "sysctl -w net.ipv4.ip_forward=1"),
    Check("apt-get", resources.program("apt-get"), "windlass/busybox cannot be built here",
          "pull or import an image instead"),
    Check("debootstrap", resources.program("debootstrap", "mmdebstrap"), "windlass/debian cannot be built here",
          "apt-get install debootstrap debian-archive-keyring"),
)  # fmt: skip


def checks(data_root: str = resources.DEFAULT_DATA_ROOT) -> tuple[Check, ...]:
    """Return the whole table, for an engine that keeps its data in `data_root`."""
    return (
        *_KERNEL,
        Check(
            f"file system of {data_root}",
            lambda: resources.file_system(data_root),
            "no writable layer can be mounted over an image",
            "give windlassd a --data-root on ext4, xfs or btrfs",
            mandatory=True,
        ),
        Check(
            "disk space",
            lambda: resources.disk(data_root),
            "images and containers soon fill the disk",
            "free some, or move --data-root",
        ),
        *_FEATURES,
    )


def first_blocker(data_root: str = resources.DEFAULT_DATA_ROOT) -> str | None:
    """Return one line about the first mandatory thing that is missing here, or None where containers can run.

    Takes less than a millisecond: only the mandatory checks are made.
    """
    for finding in examine(check for check in checks(data_root) if check.mandatory):
        if finding.blocks:
            return finding.sentence()
    return None
