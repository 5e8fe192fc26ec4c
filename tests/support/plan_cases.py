"""Golden cases of lowering: small requests in the API's own words, and their plans as lines of text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from windlass.cgroups.model import CgroupMount
from windlass.runtime.intent import ContainerIntent, EtcFiles, HostDevice, HostFacts, NetworkIntent
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.mount_requests import parse_mounts
from windlass.runtime.plan_facts import PlanFacts
from windlass.spec.container import ContainerConfig, HostConfig
from windlass.spec.plan import LaunchPlan, OverlayRoot

_V1 = (
    CgroupMount("cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/windlass/ID", ("cpu", "cpuacct")),
    CgroupMount("pids", "/sys/fs/cgroup/pids/windlass/ID"),
)
_V2 = (CgroupMount("", "/sys/fs/cgroup/windlass/ID"),)
_PROGRAM = b"\6\0\0\0\0\0\377\177"


def make_intent(case: dict[str, Any]) -> ContainerIntent:
    """Build the intent of a case on a host of two CPUs, kernel 6.1 and cgroup v2, where the case does not say else."""
    facts = {
        "cpu_count": 2,
        "controllers": ["cpu", "memory", "pids"],
        "features": ["cfs", "swap"],
        "sysctls": ["net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"],
        "thermal_throttle": True,
    } | case.get("facts", {})
    config = msgspec.convert({"Hostname": "host", "Cmd": ["true"]} | case.get("Config", {}), ContainerConfig)
    host = msgspec.convert(case.get("HostConfig", {}), HostConfig)
    return ContainerIntent(
        id="ID",
        config=config,
        host_config=host,
        args=["true"],
        root_path="/c/ID/root",
        facts=msgspec.convert(facts, HostFacts),
        mounts=parse_mounts(config, host),
        etc=EtcFiles("/c/ID/resolv.conf", "/c/ID/hosts", "/c/ID/hostname"),
        network=msgspec.convert(case.get("network", {"mode": "none"}), NetworkIntent),
        ipc_pid=case.get("ipc_pid", 0),
        pid_pid=case.get("pid_pid", 0),
        devices=msgspec.convert(case.get("devices", []), list[HostDevice]),
    )


def make_plan(case: dict[str, Any]) -> LaunchPlan:
    """Lower a case; its filter is a program of one instruction."""
    intent = make_intent(case)
    spec = lower_container(intent)
    version = intent.facts.cgroup_version
    facts = PlanFacts(
        root=OverlayRoot("/c/ID/root", "/layers", ["b/d", "a/d"], "/c/ID/upper", "/c/ID/work"),
        cgroup_version=version,
        cgroup_files=("/sys/fs/cgroup/windlass/ID/cgroup.procs",) if version == 2 else ("/v1/tasks",),
        cgroup_mounts=_V2 if version == 2 else _V1,
        netns_fd=case.get("netns_fd", -1),
        seccomp_program=_PROGRAM if spec.linux.seccomp else None,
        host_capabilities=intent.facts.capabilities,
        kcore=intent.facts.kcore,
    )
    return lower_plan(spec, facts)


def plan_lines(plan: LaunchPlan) -> list[str]:
    """Write a plan as one line for each step, and one for each other member."""
    built = msgspec.to_builtins(plan)
    lines = [json.dumps(step) for step in built.pop("ops")]
    return [*lines, *(f"{key}: {json.dumps(value)}" for key, value in built.items())]


def load_cases(path: Path) -> dict[str, dict[str, Any]]:
    """Read the cases by name."""
    cases: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return cases
