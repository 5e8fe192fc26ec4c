"""What the daemon's configuration means to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from windlass.runtime.runtimes import Runtimes
from windlass.spec.container import Ulimit

DEFAULT_SHM_SIZE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Defaults for containers, and what `info` shows. Sizes in bytes, times in seconds."""

    version: str
    data_root: str
    run_root: str
    bridge_name: str = "windlass0"
    bridge_address: str = ""
    firewall_table: str = "windlass"
    mtu: int = 1500
    publish_address: str = ""
    icc: bool = True
    ip_forward: bool = True
    ip_masquerade: bool = True
    firewall: bool = True
    dns: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    log_driver: str = "json-file"
    log_options: dict[str, str] = field(default_factory=dict)
    ulimits: tuple[Ulimit, ...] = ()
    shm_size_bytes: int = DEFAULT_SHM_SIZE_BYTES
    cgroup_parent: str = ""
    ipc_mode: str = "private"
    cgroupns_mode: str = ""
    seccomp_profile: str = ""
    no_new_privileges: bool = False
    init_path: str = ""
    cpu_rt_period_us: int = 0
    cpu_rt_runtime_us: int = 0
    labels: tuple[str, ...] = ()
    registry_mirrors: tuple[str, ...] = ()
    insecure_registries: tuple[str, ...] = ()
    live_restore: bool = True
    debug: bool = False
    shutdown_timeout_s: int = 15
    runtimes: Runtimes = field(default_factory=Runtimes)
    # What is unwise about the configuration.
    warnings: tuple[str, ...] = ()
