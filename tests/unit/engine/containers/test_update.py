"""Which limits an update changes, and which it refuses."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.update import changes, only_changed
from windlass.spec.container import HostConfig, RestartPolicy

_MB = 1 << 20


@pytest.mark.parametrize(
    ("present", "wanted", "text"),
    [
        ({"cpu_period": 1000}, {"nano_cpus": 1}, "Nano CPUs cannot be updated as CPU Period has already been set"),
        ({"cpu_quota": 1000}, {"nano_cpus": 1}, "Nano CPUs cannot be updated as CPU Quota has already been set"),
        ({"nano_cpus": 1}, {"cpu_period": 1000}, "CPU Period cannot be updated as NanoCPUs has already been set"),
        ({"nano_cpus": 1}, {"cpu_quota": 1000}, "CPU Quota cannot be updated as NanoCPUs has already been set"),
        (
            {"memory": 10 * _MB, "memory_swap": 20 * _MB},
            {"memory": 30 * _MB},
            "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
        ),
        ({}, {"restart_policy": RestartPolicy("often")}, "invalid restart policy: unknown policy 'often'"),
        (
            {"auto_remove": True},
            {"restart_policy": RestartPolicy("always")},
            "Restart policy cannot be updated because AutoRemove is enabled for the container",
        ),
    ],
)
def test_contradictions(present: dict[str, Any], wanted: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        changes(HostConfig(**present), HostConfig(**wanted))


def test_what_is_not_said_stays() -> None:
    present = HostConfig(memory=10 * _MB, cpu_shares=5, pids_limit=7)
    assert changes(present, HostConfig(cpu_shares=6)) == {"cpu_shares": 6}
    assert changes(present, HostConfig(pids_limit=0)) == {"pids_limit": 0}


def test_only_what_changed_is_written_again() -> None:
    present = HostConfig(memory=10 * _MB, memory_swap=20 * _MB, cpu_shares=5, pids_limit=7, privileged=True)
    assert only_changed(present, {"cpu_shares": 5}) == HostConfig(cpu_shares=5)


def test_memory_and_swap_are_written_together() -> None:
    present = HostConfig(memory=10 * _MB, memory_swap=20 * _MB)
    changed = msgspec.structs.replace(present, memory=15 * _MB)
    assert only_changed(changed, {"memory": 15 * _MB}) == HostConfig(memory=15 * _MB, memory_swap=20 * _MB)
