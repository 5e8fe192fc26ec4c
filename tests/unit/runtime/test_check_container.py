"""What is refused and what is dropped with a warning, in Docker's words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from windlass.base.errors import InvalidParameter, System
from windlass.runtime.check_container import check_container, check_update
from windlass.runtime.intent import DaemonDefaults, HostFacts
from windlass.spec.container import ContainerConfig, HostConfig

_FULL = HostFacts(
    cpu_count=2,
    cpus="0-1",
    mems="0",
    controllers=frozenset({"cpu", "cpuset", "memory", "pids", "blkio"}),
    features=frozenset({"swap", "swappiness", "oom_control", "cfs", "realtime", "bfq", "bfq_device"}),
)
_BARE = msgspec.structs.replace(_FULL, controllers=frozenset(), features=frozenset())
_MB = 1 << 20


def _refusal(facts: HostFacts = _FULL, **members: Any) -> str:
    with pytest.raises(InvalidParameter) as caught:
        check_container(ContainerConfig(), msgspec.convert(members, HostConfig), facts, DaemonDefaults())
    return caught.value.message


def _accepted(facts: HostFacts = _FULL, **members: Any) -> tuple[HostConfig, list[str]]:
    return check_container(ContainerConfig(), msgspec.convert(members, HostConfig), facts, DaemonDefaults())


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Memory": 1}, "Minimum memory limit allowed is 6MB"),
        ({"Memory": 6 * _MB - 1}, "Minimum memory limit allowed is 6MB"),
        (
            {"Memory": 20 * _MB, "MemorySwap": 10 * _MB},
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            {"MemorySwap": 10 * _MB},
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        ({"MemorySwappiness": 101}, "Invalid value: 101, valid memory swappiness range is 0-100"),
        ({"MemoryReservation": 1}, "Minimum memory reservation allowed is 6MB"),
        (
            {"Memory": 10 * _MB, "MemoryReservation": 20 * _MB},
            "Minimum memory limit can not be less than memory reservation limit, see usage",
        ),
        ({"NanoCpus": 3 * 10**9}, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
        ({"NanoCpus": -1}, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
        (
            {"NanoCpus": 10**9, "CpuPeriod": 1000},
            "Conflicting options: Nano CPUs and CPU Period cannot both be set",
        ),
        (
            {"NanoCpus": 10**9, "CpuQuota": 1000},
            "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
        ),
        (
            {"CpuPeriod": 999},
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        ({"CpuQuota": 999}, "CPU cfs quota can not be less than 1ms (i.e. 1000)"),
        ({"CpuShares": -1}, "shares: invalid argument"),
        (
            {"CpuRealtimePeriod": 1000, "CpuRealtimeRuntime": 1001},
            "cpu real-time runtime cannot be higher than cpu real-time period",
        ),
        ({"CpusetCpus": "0-9"}, "Requested CPUs are not available - requested 0-9, available: 0-1"),
        ({"CpusetMems": "1"}, "Requested memory nodes are not available - requested 1, available: 0"),
        ({"CpusetCpus": "a"}, "Invalid value a for cpuset cpus: invalid format: a"),
        ({"CpusetCpus": "0-99999999999"}, "Invalid value 0-99999999999 for cpuset cpus: invalid format: 0-99999999999"),
        ({"BlkioWeight": 5}, "Range of blkio weight is from 10 to 1000"),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        ({"OomScoreAdj": 1001}, "Invalid value 1001, range for oom score adj is [-1000, 1000]"),
        ({"IpcMode": "odd"}, "invalid IPC mode: odd"),
        ({"IpcMode": "container:"}, "invalid IPC mode: container:"),
        ({"PidMode": "container"}, "invalid PID mode: container"),
        ({"UTSMode": "private"}, "invalid UTS mode: private"),
        ({"CgroupnsMode": "x"}, "invalid cgroup namespace mode: x"),
        ({"Isolation": "hyperv"}, "invalid isolation (hyperv): linux only supports 'default'"),
        (
            {"Annotations": {"": "x"}},
            "invalid Annotations: the empty string is not permitted as an annotation key",
        ),
        ({"CapAdd": ["fly"]}, 'unknown capability: "CAP_FLY"'),
        ({"DeviceCgroupRules": ["x"]}, "invalid device cgroup rule format: 'x'"),
        ({"SecurityOpt": ["odd"]}, 'invalid --security-opt 1: "odd"'),
        ({"SecurityOpt": ["odd=1"]}, 'invalid --security-opt 2: "odd=1"'),
        ({"SecurityOpt": ["no-new-privileges=maybe"]}, 'invalid --security-opt 2: "no-new-privileges=maybe"'),
        ({"Ulimits": [{"Name": "odd", "Soft": 1, "Hard": 1}]}, "invalid ulimit type: odd"),
        (
            {"Ulimits": [{"Name": "nofile", "Soft": 2, "Hard": 1}]},
            "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
        ),
        (
            {"NetworkMode": "container:x", "PublishAllPorts": True},
            "conflicting options: port publishing and the container type network mode",
        ),
    ],
)
def test_refused(members: dict[str, Any], message: str) -> None:
    assert _refusal(**members) == message


@pytest.mark.parametrize("members", [{"CpuRealtimePeriod": 1000}, {"CpuRealtimeRuntime": 1000}])
def test_real_time_without_a_scheduler_for_it(members: dict[str, int]) -> None:
    assert _refusal(_BARE, **members) == "kernel does not support CPU real-time scheduler"


def test_a_quota_for_the_storage() -> None:
    with pytest.raises(System, match="--storage-opt is supported only for overlay over xfs with 'pquota'"):
        _accepted(StorageOpt={"size": "1G"})


def test_a_profile_that_is_not_json() -> None:
    assert _refusal(SecurityOpt=["seccomp=/not/read/by/the/daemon.json"]).startswith(
        "Decoding seccomp profile failed: "
    )


@pytest.mark.parametrize(
    ("members", "field", "left"),
    [
        ({"Memory": 10 * _MB, "MemorySwap": 20 * _MB}, "memory", 0),
        ({"MemoryReservation": 10 * _MB}, "memory_reservation", 0),
        ({"MemorySwappiness": 10}, "memory_swappiness", None),
        ({"OomKillDisable": True}, "oom_kill_disable", None),
        ({"PidsLimit": 10}, "pids_limit", None),
        ({"CpuShares": 10}, "cpu_shares", 0),
        ({"CpuQuota": 1000}, "cpu_quota", 0),
        ({"CpusetCpus": "0"}, "cpuset_cpus", ""),
        ({"BlkioWeight": 100}, "blkio_weight", 0),
        ({"BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1}]}, "blkio_device_read_bps", []),
    ],
)
def test_dropped_with_a_warning(members: dict[str, Any], field: str, left: object) -> None:
    host, warnings = _accepted(_BARE, **members)
    assert getattr(host, field) == left
    assert len(warnings) == 1 and warnings[0].startswith("Your kernel does not support ")


def test_cpus_cannot_be_dropped() -> None:
    assert _refusal(_BARE, NanoCpus=10**9).startswith("NanoCPUs can not be set")


def test_shares_are_clamped() -> None:
    assert _accepted(CpuShares=1)[0].cpu_shares == 2
    assert _accepted(CpuShares=10**9)[0].cpu_shares == 262_144


def test_swappiness_of_minus_one_is_not_said() -> None:
    assert _accepted(MemorySwappiness=-1)[0].memory_swappiness is None


def test_oom_killer_without_a_limit_is_worth_a_warning() -> None:
    _, (warning,) = _accepted(OomKillDisable=True)
    assert warning.startswith("OOM killer is disabled for the container, but no memory limit is set")


def test_published_ports_in_the_host_network() -> None:
    _, warnings = _accepted(NetworkMode="host", PortBindings={"80/tcp": [{"HostPort": "80"}]})
    assert warnings == ["Published ports are discarded when using host network mode"]


def test_ulimits_out_of_reach() -> None:
    weak = msgspec.structs.replace(_FULL, capabilities=0, hard_limits={7: 1000})
    wanted = [{"Name": "nofile", "Soft": 10, "Hard": 2000}, {"Name": "core", "Soft": 0, "Hard": 0}]
    assert _accepted(Ulimits=wanted)[1] == []
    assert _accepted(weak, Ulimits=wanted)[1] == [
        "The engine lacks CAP_SYS_RESOURCE: ulimit nofile is lowered to the engine's own of 1000."
    ]


def test_hostname_conflicts() -> None:
    config = ContainerConfig(hostname="x")
    for host, kind in ((HostConfig(uts_mode="host"), "UTS"), (HostConfig(network_mode="container:y"), "network")):
        with pytest.raises(InvalidParameter, match=f"conflicting options: hostname and the {kind} mode"):
            check_container(config, host, _FULL, DaemonDefaults())


def test_an_update_may_set_swap_alone() -> None:
    host, warnings = check_update(HostConfig(memory_swap=20 * _MB), _FULL)
    assert (host.memory_swap, warnings) == (20 * _MB, [])
