"""A container as its user asked for it: the Engine API's words, typed.

Unknown members are ignored; `windlass.api` drops `null` members before decoding, as Go's decoder leaves
the zero value there. These values are stored as a container's intent; what is derived from them is computed.

Source: Engine API, definitions ContainerConfig, HostConfig, NetworkingConfig.
"""

from __future__ import annotations

import msgspec


def _pascal(name: str) -> str:
    """`cpu_shares` to `CpuShares`."""
    return "".join(part.capitalize() for part in name.split("_"))


class HealthConfig(msgspec.Struct, rename="pascal"):
    """How to probe a container; durations in nanoseconds. Source: Engine API, HealthConfig."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0
    start_interval: int = 0


class ContainerConfig(msgspec.Struct, rename="pascal"):
    """The portable half of a container: what an image may also carry. Source: Engine API, ContainerConfig."""

    hostname: str = ""
    domainname: str = ""
    user: str = ""
    attach_stdin: bool = False
    attach_stdout: bool = False
    attach_stderr: bool = False
    exposed_ports: dict[str, dict[str, str]] | None = None
    tty: bool = False
    open_stdin: bool = False
    stdin_once: bool = False
    env: list[str] | None = None
    cmd: list[str] | str | None = None
    healthcheck: HealthConfig | None = None
    args_escaped: bool = False
    image: str = ""
    volumes: dict[str, dict[str, str]] | None = None
    working_dir: str = ""
    entrypoint: list[str] | str | None = None
    network_disabled: bool = False
    mac_address: str = ""
    on_build: list[str] | None = None
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None
    shell: list[str] | None = None


class WeightDevice(msgspec.Struct, rename="pascal"):
    """A block device and its relative weight."""

    path: str = ""
    weight: int = 0


class ThrottleDevice(msgspec.Struct, rename="pascal"):
    """A block device and its rate: bytes or operations per second."""

    path: str = ""
    rate: int = 0


class DeviceMapping(msgspec.Struct, rename="pascal"):
    """A host device made visible in the container."""

    path_on_host: str = ""
    path_in_container: str = ""
    cgroup_permissions: str = ""


_DEVICEREQUEST_NAMES = {
    "device_ids": "DeviceIDs",
}


class DeviceRequest(msgspec.Struct, rename=lambda name: _DEVICEREQUEST_NAMES.get(name) or _pascal(name)):
    """A request for devices from a driver (GPUs, CDI)."""

    driver: str = ""
    count: int = 0
    device_ids: list[str] | None = None
    capabilities: list[list[str]] | None = None
    options: dict[str, str] | None = None


class Ulimit(msgspec.Struct, rename="pascal"):
    """One resource limit by its name without `RLIMIT_`."""

    name: str = ""
    soft: int = 0
    hard: int = 0


class LogConfig(msgspec.Struct, rename="pascal"):
    """The log driver and its options."""

    type: str = ""
    config: dict[str, str] | None = None


class PortBinding(msgspec.Struct, rename="pascal"):
    """A host address and port; an empty port asks for an ephemeral one."""

    host_ip: str = ""
    host_port: str = ""


class RestartPolicy(msgspec.Struct, rename="pascal"):
    """When to start the container again after it exits."""

    name: str = ""
    maximum_retry_count: int = 0


class BindOptions(msgspec.Struct, rename="pascal"):
    """Options of a bind mount."""

    propagation: str = ""
    non_recursive: bool = False
    create_mountpoint: bool = False
    read_only_non_recursive: bool = False
    read_only_force_recursive: bool = False


class VolumeDriverConfig(msgspec.Struct, rename="pascal"):
    """The driver of a volume made for a mount."""

    name: str = ""
    options: dict[str, str] | None = None


class VolumeOptions(msgspec.Struct, rename="pascal"):
    """Options of a volume mount."""

    no_copy: bool = False
    labels: dict[str, str] | None = None
    driver_config: VolumeDriverConfig | None = None
    subpath: str = ""


class ImageOptions(msgspec.Struct, rename="pascal"):
    """Options of an image mount."""

    subpath: str = ""


class TmpfsOptions(msgspec.Struct, rename="pascal"):
    """Options of a tmpfs mount; size in bytes, mode as permission bits."""

    size_bytes: int = 0
    mode: int = 0
    options: list[list[str]] | None = None


class MountRequest(msgspec.Struct, rename="pascal"):
    """One `--mount`. Source: Engine API, Mount."""

    target: str = ""
    source: str = ""
    type: str = ""
    read_only: bool = False
    consistency: str = ""
    bind_options: BindOptions | None = None
    volume_options: VolumeOptions | None = None
    image_options: ImageOptions | None = None
    tmpfs_options: TmpfsOptions | None = None


_HOSTCONFIG_NAMES = {
    "container_id_file": "ContainerIDFile",
    "uts_mode": "UTSMode",
    "blkio_device_read_iops": "BlkioDeviceReadIOps",
    "blkio_device_write_iops": "BlkioDeviceWriteIOps",
    "kernel_memory_tcp": "KernelMemoryTCP",
    "io_maximum_iops": "IOMaximumIOps",
    "io_maximum_bandwidth": "IOMaximumBandwidth",
}


class HostConfig(msgspec.Struct, rename=lambda name: _HOSTCONFIG_NAMES.get(name) or _pascal(name)):
    """The half of a container that belongs to this host. Source: Engine API, HostConfig."""

    binds: list[str] | None = None
    container_id_file: str = ""
    log_config: LogConfig = msgspec.field(default_factory=LogConfig)
    network_mode: str = ""
    port_bindings: dict[str, list[PortBinding] | None] | None = None
    restart_policy: RestartPolicy = msgspec.field(default_factory=RestartPolicy)
    auto_remove: bool = False
    volume_driver: str = ""
    volumes_from: list[str] | None = None
    console_size: list[int] | None = None
    annotations: dict[str, str] | None = None
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    cgroupns_mode: str = ""
    dns: list[str] | None = None
    dns_options: list[str] | None = None
    dns_search: list[str] | None = None
    extra_hosts: list[str] | None = None
    group_add: list[str] | None = None
    ipc_mode: str = ""
    cgroup: str = ""
    links: list[str] | None = None
    oom_score_adj: int = 0
    pid_mode: str = ""
    privileged: bool = False
    publish_all_ports: bool = False
    readonly_rootfs: bool = False
    security_opt: list[str] | None = None
    storage_opt: dict[str, str] | None = None
    tmpfs: dict[str, str] | None = None
    uts_mode: str = ""
    userns_mode: str = ""
    shm_size: int = 0
    sysctls: dict[str, str] | None = None
    runtime: str = ""
    isolation: str = ""
    cpu_shares: int = 0
    memory: int = 0
    nano_cpus: int = 0
    cgroup_parent: str = ""
    blkio_weight: int = 0
    blkio_weight_device: list[WeightDevice] | None = None
    blkio_device_read_bps: list[ThrottleDevice] | None = None
    blkio_device_write_bps: list[ThrottleDevice] | None = None
    blkio_device_read_iops: list[ThrottleDevice] | None = None
    blkio_device_write_iops: list[ThrottleDevice] | None = None
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_realtime_period: int = 0
    cpu_realtime_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    devices: list[DeviceMapping] | None = None
    device_cgroup_rules: list[str] | None = None
    device_requests: list[DeviceRequest] | None = None
    kernel_memory: int = 0
    kernel_memory_tcp: int = 0
    memory_reservation: int = 0
    memory_swap: int = 0
    memory_swappiness: int | None = None
    oom_kill_disable: bool | None = None
    pids_limit: int | None = None
    ulimits: list[Ulimit] | None = None
    cpu_count: int = 0
    cpu_percent: int = 0
    io_maximum_iops: int = 0
    io_maximum_bandwidth: int = 0
    mounts: list[MountRequest] | None = None
    masked_paths: list[str] | None = None
    readonly_paths: list[str] | None = None
    init: bool | None = None


_ENDPOINTIPAMCONFIG_NAMES = {
    "ipv4_address": "IPv4Address",
    "ipv6_address": "IPv6Address",
    "link_local_ips": "LinkLocalIPs",
}


class EndpointIPAMConfig(msgspec.Struct, rename=lambda name: _ENDPOINTIPAMCONFIG_NAMES.get(name) or _pascal(name)):
    """Addresses asked for on one network."""

    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: list[str] | None = None


_ENDPOINTSETTINGS_NAMES = {
    "ipam_config": "IPAMConfig",
    "network_id": "NetworkID",
    "endpoint_id": "EndpointID",
    "ip_address": "IPAddress",
    "ip_prefix_len": "IPPrefixLen",
    "ipv6_gateway": "IPv6Gateway",
    "global_ipv6_address": "GlobalIPv6Address",
    "global_ipv6_prefix_len": "GlobalIPv6PrefixLen",
    "dns_names": "DNSNames",
}


class EndpointSettings(msgspec.Struct, rename=lambda name: _ENDPOINTSETTINGS_NAMES.get(name) or _pascal(name)):
    """One attachment to a network: what was asked and what was given. Source: Engine API, EndpointSettings."""

    ipam_config: EndpointIPAMConfig | None = None
    links: list[str] | None = None
    aliases: list[str] | None = None
    mac_address: str = ""
    driver_opts: dict[str, str] | None = None
    gw_priority: int = 0
    network_id: str = ""
    endpoint_id: str = ""
    gateway: str = ""
    ip_address: str = ""
    ip_prefix_len: int = 0
    ipv6_gateway: str = ""
    global_ipv6_address: str = ""
    global_ipv6_prefix_len: int = 0
    dns_names: list[str] | None = None


class NetworkingConfig(msgspec.Struct, rename="pascal"):
    """Attachments asked for at creation, by network name or id."""

    endpoints_config: dict[str, EndpointSettings | None] | None = None
