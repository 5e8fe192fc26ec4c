"""A container as a runtime is told of it: the `config.json` of a bundle, typed.

Members that Linux does not use (Windows, Solaris, virtual machines, z/OS) are ignored.

Source: OCI runtime-spec 1.2, config.md and config-linux.md.
"""

from __future__ import annotations

from windlass.spec import struct
from windlass.spec.resources import LinuxResources
from windlass.spec.seccomp import LinuxSeccomp

OCI_VERSION = "1.2.0"


class Struct(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of this module's values: camelCase members, absent when they have their default."""


class ConsoleSize(Struct, frozen=True):
    """First size of the terminal, in characters."""

    height: int
    width: int


class User(Struct, frozen=True):
    """The identity of the process.

    With `username` empty, the numbers are final. Otherwise it is `user[:group]`, to be resolved in the container's own
    files together with `additional_groups` (names or numbers): an extension, as a bundle has numbers only.
    """

    uid: int = 0
    gid: int = 0
    umask: int | None = None
    additional_gids: list[int] = []
    username: str = ""
    additional_groups: list[str] = []


class Capabilities(Struct, frozen=True):
    """The five sets of capabilities, by name (`CAP_CHOWN`)."""

    bounding: list[str] = []
    effective: list[str] = []
    permitted: list[str] = []
    inheritable: list[str] = []
    ambient: list[str] = []


class PosixRlimit(Struct, frozen=True):
    """One resource limit by its name (`RLIMIT_NOFILE`); 2**64-1 is infinity."""

    type: str
    soft: int
    hard: int


class IoPriority(struct.Struct, frozen=True, omit_defaults=True, rename={"io_class": "class"}):
    """I/O scheduling class (`IOPRIO_CLASS_BE`) and priority."""

    io_class: str
    priority: int = 0


class Scheduler(Struct, frozen=True):
    """CPU scheduling policy; times in nanoseconds."""

    policy: str
    nice: int = 0
    priority: int = 0
    flags: list[str] = []
    runtime: int = 0
    deadline: int = 0
    period: int = 0


class CpuAffinity(Struct, frozen=True):
    """CPU lists of an exec before and after it joins the cgroup."""

    initial: str = ""
    final: str = ""


class Process(
    struct.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "console_size": "consoleSize",
        "oom_score_adj": "oomScoreAdj",
        "no_new_privileges": "noNewPrivileges",
        "apparmor_profile": "apparmorProfile",
        "selinux_label": "selinuxLabel",
        "io_priority": "ioPriority",
        "exec_cpu_affinity": "execCPUAffinity",
    },
):
    """The program to run and what it may do."""

    cwd: str
    args: list[str] = []
    env: list[str] = []
    terminal: bool = False
    console_size: ConsoleSize | None = None
    user: User = User()
    capabilities: Capabilities | None = None
    rlimits: list[PosixRlimit] = []
    no_new_privileges: bool = False
    oom_score_adj: int | None = None
    apparmor_profile: str = ""
    selinux_label: str = ""
    io_priority: IoPriority | None = None
    scheduler: Scheduler | None = None
    exec_cpu_affinity: CpuAffinity | None = None


class IdMapping(struct.Struct, frozen=True, rename={"container_id": "containerID", "host_id": "hostID"}):
    """A range of ids of a user namespace."""

    container_id: int
    host_id: int
    size: int


class Mount(Struct, frozen=True):
    """One mount: `options` are mount(8) words."""

    destination: str
    type: str = ""
    source: str = ""
    options: list[str] = []
    uid_mappings: list[IdMapping] = []
    gid_mappings: list[IdMapping] = []


class Root(Struct, frozen=True):
    """The directory that becomes `/`."""

    path: str
    readonly: bool = False


class Namespace(Struct, frozen=True):
    """A namespace to have: new without `path`, joined with it."""

    type: str
    path: str = ""


class Device(Struct, frozen=True):
    """A device node to make; `type` is `c`, `b`, `u` or `p`."""

    path: str
    type: str
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    uid: int = 0
    gid: int = 0


class NetDevice(Struct, frozen=True):
    """A host interface moved into the container, under another name if given."""

    name: str = ""


class TimeOffset(Struct, frozen=True):
    """Offset of one clock of a time namespace."""

    secs: int = 0
    nanosecs: int = 0


class IntelRdt(
    struct.Struct,
    frozen=True,
    omit_defaults=True,
    rename={
        "clos_id": "closID",
        "l3_cache_schema": "l3CacheSchema",
        "mem_bw_schema": "memBwSchema",
        "enable_monitoring": "enableMonitoring",
        "enable_cmt": "enableCMT",
        "enable_mbm": "enableMBM",
    },
):
    """Cache and memory bandwidth allocation; `enable_cmt` and `enable_mbm` are what 1.3 says in one word."""

    clos_id: str = ""
    schemata: list[str] = []
    l3_cache_schema: str = ""
    mem_bw_schema: str = ""
    enable_monitoring: bool = False
    enable_cmt: bool = False
    enable_mbm: bool = False


class Personality(Struct, frozen=True):
    """Execution domain: `LINUX` or `LINUX32`."""

    domain: str
    flags: list[str] = []


class MemoryPolicy(Struct, frozen=True):
    """NUMA policy of the process: `MPOL_BIND` and the like, over `nodes`."""

    mode: str
    nodes: str = ""
    flags: list[str] = []


class Linux(Struct, frozen=True):
    """What only Linux has."""

    uid_mappings: list[IdMapping] = []
    gid_mappings: list[IdMapping] = []
    sysctl: dict[str, str] = {}
    resources: LinuxResources | None = None
    cgroups_path: str = ""
    namespaces: list[Namespace] = []
    devices: list[Device] = []
    net_devices: dict[str, NetDevice] = {}
    seccomp: LinuxSeccomp | None = None
    rootfs_propagation: str = ""
    masked_paths: list[str] = []
    readonly_paths: list[str] = []
    mount_label: str = ""
    intel_rdt: IntelRdt | None = None
    memory_policy: MemoryPolicy | None = None
    personality: Personality | None = None
    time_offsets: dict[str, TimeOffset] = {}


class Hook(Struct, frozen=True):
    """A program to run at a moment of the container's life; `timeout` in seconds."""

    path: str
    args: list[str] = []
    env: list[str] = []
    timeout: int | None = None


class Hooks(Struct, frozen=True):
    """Programs by moment."""

    prestart: list[Hook] = []
    create_runtime: list[Hook] = []
    create_container: list[Hook] = []
    start_container: list[Hook] = []
    poststart: list[Hook] = []
    poststop: list[Hook] = []


class RuntimeSpec(Struct, frozen=True):
    """A whole `config.json`."""

    oci_version: str
    process: Process | None = None
    root: Root | None = None
    hostname: str = ""
    domainname: str = ""
    mounts: list[Mount] = []
    hooks: Hooks | None = None
    annotations: dict[str, str] = {}
    linux: Linux = Linux()
