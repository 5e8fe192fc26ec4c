"""What is to run, with everything that had to be looked up already looked up.

An intent is the only input of `lower_container`: from the same intent always comes the same specification. Looking up
is the caller's part: `windlass.runtime.facts` for the host, `windlass.runtime.host_devices` for devices, the engine
for images, volumes and networks.
"""

from __future__ import annotations

import msgspec

from windlass.spec.container import ContainerConfig, HostConfig, Ulimit
from windlass.spec.runtime import IdMapping

DEFAULT_CGROUP_PARENT = "windlass"
DEFAULT_SHM_SIZE = 64 * 1024 * 1024


class HostFacts(msgspec.Struct, frozen=True):
    """What the host can do.

    `capabilities` is the engine's own effective set as a bit mask by number. `controllers` are the cgroup controllers
    that can enforce limits, `features` what they can do: `swap`, `swappiness`, `oom_control`, `cfs`, `realtime`, `bfq`,
    `bfq_device`. `cpus` and `mems` are the lists of what is online (`0-3`). `sysctls` are the default kernel parameters
    that exist here, `hard_limits` the engine's own by RLIMIT_* number, without those that are infinite.
    """

    machine: str = "x86_64"
    kernel: tuple[int, int] = (6, 1)
    cgroup_version: int = 2
    controllers: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    capabilities: int = (1 << 41) - 1
    cpu_count: int = 1
    cpus: str = "0"
    mems: str = "0"
    apparmor: bool = False
    selinux: bool = False
    ip_forwarding: bool = True
    sysctls: frozenset[str] = frozenset()
    hard_limits: dict[int, int] = {}
    kcore: bool = True
    thermal_throttle: bool = False

    @property
    def security_modules(self) -> frozenset[str]:
        """Those that give processes labels: `apparmor`, `selinux`."""
        present = {"apparmor": self.apparmor, "selinux": self.selinux}
        return frozenset(name for name, is_on in present.items() if is_on)


class HostDevice(msgspec.Struct, frozen=True):
    """A device node of the host, to be seen at `path`: `kind` is `c`, `b` or `p`, `mode` its permission bits."""

    path: str
    kind: str
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0
    access: str = "rwm"


class MountPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mount that the user or the image asked for.

    `type` is `bind`, `volume`, `tmpfs` or `image`; `source` is a host path by the time of lowering (for a volume and an
    image, what its driver gave). `options` are a tmpfs's. `mode` is what was written after the second colon of `-v`.
    """

    type: str
    destination: str
    source: str = ""
    name: str = ""
    driver: str = ""
    read_only: bool = False
    propagation: str = ""
    recursive: bool = True
    read_only_recursive: bool = True
    options: str = ""
    mode: str = ""
    subpath: str = ""
    copy_data: bool = False
    create_source: bool = False


class NetworkIntent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The container's network namespace.

    `mode` is `private` (made beforehand, passed as a descriptor), `none` (new and empty), `host`, or `join` with
    `path`.
    """

    mode: str = "private"
    path: str = ""


class UserNamespaceIntent(msgspec.Struct, frozen=True, omit_defaults=True):
    """The container's user namespace.

    `mode` is `host`, `private` (new, with `uids` and `gids`), or `join` with `path`: that of the container some of
    whose other namespaces are joined, for it owns them.
    """

    mode: str = "host"
    path: str = ""
    uids: list[IdMapping] = []
    gids: list[IdMapping] = []

    @property
    def remapped(self) -> bool:
        """Whether the container's ids are others on the host."""
        return self.mode != "host"


class EtcFiles(msgspec.Struct, frozen=True, omit_defaults=True):
    """Host paths of the files that the engine writes for a container; an empty one is not mounted."""

    resolv_conf: str = ""
    hosts: str = ""
    hostname: str = ""


class DaemonDefaults(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the engine's configuration says for containers that do not.

    `seccomp_profile` is a profile's JSON, `unconfined`, or empty for the built-in one. `init_path` is a program of the
    host that is the first process with `--init`; empty is the launcher's own.
    """

    cgroup_parent: str = DEFAULT_CGROUP_PARENT
    systemd_cgroups: bool = False
    shm_size: int = DEFAULT_SHM_SIZE
    ipc_mode: str = "private"
    cgroupns_mode: str = ""
    ulimits: list[Ulimit] = []
    no_new_privileges: bool = False
    seccomp_profile: str = ""
    init: bool = False
    init_path: str = ""


class ContainerIntent(msgspec.Struct, frozen=True):
    """A container to lower: its configuration, merged with the image's and checked, and the facts.

    `ipc_pid` and `pid_pid` are the host pids of the containers whose namespaces are joined. `devices` are those of
    `HostConfig.Devices`, or all of the host's for a privileged container. `block_devices` gives (major, minor) of the
    paths in the block I/O limits.
    """

    id: str
    config: ContainerConfig
    host_config: HostConfig
    args: list[str]
    root_path: str
    facts: HostFacts
    mounts: list[MountPoint] = []
    etc: EtcFiles = EtcFiles()
    network: NetworkIntent = NetworkIntent()
    user_namespace: UserNamespaceIntent = UserNamespaceIntent()
    ipc_pid: int = 0
    pid_pid: int = 0
    devices: list[HostDevice] = []
    block_devices: dict[str, tuple[int, int]] = {}
    defaults: DaemonDefaults = DaemonDefaults()
