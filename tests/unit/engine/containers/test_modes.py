"""Defaults and contradictions of the host's half."""

from __future__ import annotations

import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.modes import complete_host_config
from windlass.engine.settings import EngineSettings
from windlass.runtime.intent import HostFacts
from windlass.spec.container import HostConfig, LogConfig, RestartPolicy

_SETTINGS = EngineSettings("0", "/d", "/r", log_options={"max-size": "1m"})


def _complete(host: HostConfig, *, cgroup_version: int = 2, bridged: bool = True) -> HostConfig:
    facts = HostFacts(cgroup_version=cgroup_version, cpu_count=2, thermal_throttle=True)
    complete_host_config(host, _SETTINGS, facts, bridged=bridged)
    return host


def test_defaults() -> None:
    host = _complete(HostConfig())
    assert (host.network_mode, host.ipc_mode, host.cgroupns_mode, host.runtime) == (
        "bridge",
        "private",
        "private",
        "runc",
    )
    assert host.shm_size == 64 << 20 and host.restart_policy.name == "no"
    assert host.log_config.type == "json-file" and host.log_config.config == {"max-size": "1m"}
    assert "/proc/kcore" in (host.masked_paths or ()) and "/proc/sys" in (host.readonly_paths or ())
    assert _complete(HostConfig(), cgroup_version=1).cgroupns_mode == "host"
    assert _complete(HostConfig(), bridged=False).network_mode == "none"
    assert _complete(HostConfig(privileged=True)).masked_paths is None
    assert _complete(HostConfig(memory=8 << 20)).memory_swap == 16 << 20


def test_paths_of_the_system() -> None:
    masked = _complete(HostConfig()).masked_paths or []
    assert "/sys/devices/system/cpu/cpu1/thermal_throttle" in masked and "/sys/firmware" in masked
    open_host = _complete(HostConfig(security_opt=["systempaths=unconfined"]))
    assert (open_host.masked_paths, open_host.readonly_paths) == ([], [])
    own = _complete(HostConfig(masked_paths=["/proc/version"], security_opt=["systempaths=unconfined"]))
    assert (own.masked_paths, own.readonly_paths) == (["/proc/version"], [])


@pytest.mark.parametrize(
    ("host", "text"),
    [
        (HostConfig(restart_policy=RestartPolicy("often")), "invalid restart policy: unknown policy 'often'"),
        (
            HostConfig(restart_policy=RestartPolicy("always", 3)),
            "maximum retry count can only be used with 'on-failure'",
        ),
        (HostConfig(restart_policy=RestartPolicy("on-failure", -1)), "maximum retry count cannot be negative"),
        (
            HostConfig(restart_policy=RestartPolicy("always"), auto_remove=True),
            "can't create 'AutoRemove' container with restart policy",
        ),
        (HostConfig(log_config=LogConfig("splunk")), "logger: no log driver named 'splunk' is registered"),
        (HostConfig(log_config=LogConfig("json-file", {"x": "1"})), "unknown log opt 'x' for json-file log driver"),
        (HostConfig(runtime="kata"), "unknown or invalid runtime name: kata"),
        (HostConfig(shm_size=-1), "SHM size can not be less than 0"),
    ],
)
def test_what_is_refused(host: HostConfig, text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        _complete(host)
