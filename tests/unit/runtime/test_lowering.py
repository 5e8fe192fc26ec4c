"""Rules of lowering that the golden plans do not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.support.plan_cases import make_intent, make_plan

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.runtime.environment import container_environment, exec_environment
from windlass.runtime.lower_exec import ExecIntent, lower_exec
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.lower_spec import cgroup_name, lower_container, working_directory
from windlass.runtime.mount_options import parse_mount_options
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.resources import limits
from windlass.spec import plan as ops
from windlass.spec.container import ContainerConfig, HostConfig
from windlass.spec.resources import LinuxCpu, LinuxMemory, LinuxPids, LinuxResources
from windlass.spec.runtime import Linux, Mount, Namespace, Process, Root, RuntimeSpec, User

_FACTS = PlanFacts(ops.BindRoot("/bundle/rootfs"))


def _spec(process: Process | None = None, **linux: Any) -> RuntimeSpec:
    return RuntimeSpec("1.2.0", process or Process("/", ["true"]), Root("rootfs"), linux=Linux(**linux))


# --- environment ------------------------------------------------------------------------------------------


def test_environment_order_and_overrides() -> None:
    config = ContainerConfig(hostname="h", tty=True, env=["A=1", "TERM=dumb", "A=2", "EMPTY="])
    assert container_environment(config) == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME=h",
        "TERM=dumb",
        "A=2",
        "EMPTY=",
    ]


def test_a_name_without_value_removes() -> None:
    assert container_environment(ContainerConfig(hostname="h", env=["HOSTNAME", "PATH=/bin"])) == ["PATH=/bin"]


def test_exec_environment() -> None:
    container = ["PATH=/bin", "TERM=xterm", "A=1"]
    assert exec_environment(container, ["A=2"], tty=False) == ["PATH=/bin", "A=2"]
    assert exec_environment(container, [], tty=True) == ["PATH=/bin", "A=1", "TERM=xterm"]


# --- limits -----------------------------------------------------------------------------------------------


def test_limits() -> None:
    host = HostConfig(memory=100, memory_swap=200, nano_cpus=1_500_000_000, pids_limit=0, cpuset_cpus="0")
    assert limits(host) == LinuxResources(
        memory=LinuxMemory(limit=100, swap=200),
        cpu=LinuxCpu(quota=150_000, period=100_000, cpus="0"),
        pids=LinuxPids(-1),
    )


def test_nothing_asked_is_nothing_said() -> None:
    assert limits(HostConfig()) == LinuxResources()


def test_cgroup_name() -> None:
    assert cgroup_name(make_intent({})) == "windlass/ID"
    assert cgroup_name(make_intent({"HostConfig": {"CgroupParent": "/team/a/"}})) == "team/a/ID"


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a", "./a"])
def test_relative_working_directory(path: str) -> None:
    with pytest.raises(InvalidParameter, match=f"the working directory '{path}' is invalid"):
        working_directory(path)


def test_device_drivers_are_refused() -> None:
    request = {"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}
    with pytest.raises(NotSupported, match='could not select device driver "nvidia" with capabilities'):
        lower_container(make_intent({"HostConfig": {"DeviceRequests": [request]}}))


@pytest.mark.parametrize(
    ("sysctl", "host", "message"),
    [
        ("kernel.core_pattern", {}, "is not in a separate kernel namespace"),
        ("vm.swappiness", {}, "is not in a separate kernel namespace"),
        ("net.ipv4.ip_forward", {"network": {"mode": "host"}}, "not allowed in host network namespace"),
        ("kernel.shmmax", {"HostConfig": {"IpcMode": "host"}}, "is not allowed in the hosts ipc namespace"),
        ("net/../kernel/core_pattern", {}, "invalid sysctl"),
        ("net.ipv4.x+kernel", {}, "invalid sysctl"),
        ("net..x", {}, "invalid sysctl"),
        ("net", {}, "invalid sysctl"),
    ],
)
def test_sysctls_of_the_host(sysctl: str, host: dict[str, Any], message: str) -> None:
    host_config = host.get("HostConfig", {}) | {"Sysctls": {sysctl: "1"}}
    with pytest.raises(InvalidParameter, match=message):
        lower_container(make_intent(host | {"HostConfig": host_config}))


def test_sysctl_values_have_one_line() -> None:
    with pytest.raises(InvalidParameter):
        lower_container(make_intent({"HostConfig": {"Sysctls": {"kernel.shmmax": "1\n2"}}}))


def test_a_subpath_is_not_joined_blindly() -> None:
    point = msgspec.structs.replace
    intent = make_intent({"HostConfig": {"Binds": ["/v:/b"]}})
    intent = point(intent, mounts=[point(intent.mounts[0], subpath="x")])
    with pytest.raises(NotSupported, match="subpath"):
        lower_container(intent)


# --- plans of bundles -------------------------------------------------------------------------------------


def test_a_bundle_is_numeric() -> None:
    plan = lower_plan(_spec(Process("/", ["true"], user=User(1000, 100, additional_gids=[5]))), _FACTS)
    assert ops.ResolveUser("1000:100", ["5"], numeric=True) in plan.ops


def test_a_bundle_without_namespaces_unshares_nothing() -> None:
    plan = lower_plan(_spec(), _FACTS)
    assert not any(isinstance(op, ops.Unshare | ops.SetNs | ops.JoinCgroup) for op in plan.ops)
    assert not plan.new_pid_namespace


@pytest.mark.parametrize(
    ("linux", "message"),
    [
        ({"namespaces": [Namespace("odd")]}, "unknown namespace type"),
        ({"rootfs_propagation": "odd"}, "rootfsPropagation=odd is not supported"),
        ({"sysctl": {"kernel.panic": "1"}}, "not in a separate kernel namespace"),
    ],
)
def test_a_bundle_that_contradicts_itself(linux: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        lower_plan(_spec(**linux), _FACTS)


def test_user_namespaces_are_not_there_yet() -> None:
    with pytest.raises(NotSupported):
        lower_plan(_spec(namespaces=[Namespace("user")]), _FACTS)


def test_mount_options() -> None:
    options = parse_mount_options(["rbind", "ro", "rw", "rro", "noatime", "rslave", "size=1", "newinstance"])
    assert (options.bind, options.recursive, options.recursive_attr) == (True, True, True)
    assert (options.attr_set, options.attr_clear) == (0x11, 0x70)
    assert options.data == (("size", "1"), ("newinstance", None))


def test_joining_the_cgroup_is_late_and_the_filter_sees_only_the_exec() -> None:
    kinds = [type(op) for op in make_plan({"HostConfig": {"SecurityOpt": ["no-new-privileges"]}}).ops]
    assert kinds[-5:] == [ops.JoinCgroup, ops.Credentials, ops.NoNewPrivs, ops.Seccomp, ops.Exec]
    kinds = [type(op) for op in make_plan({}).ops]
    assert kinds[-4:] == [ops.JoinCgroup, ops.Seccomp, ops.Credentials, ops.Exec]


def test_a_mount_of_cgroup_two_by_bind_is_a_bind() -> None:
    spec = msgspec.structs.replace(_spec(), mounts=[Mount("/x", "bind", "/y", ["bind"])])
    assert ops.Bind("/y", "/x", recursive=False) in lower_plan(spec, _FACTS).ops


# --- exec -------------------------------------------------------------------------------------------------


def _exec(intent: ExecIntent, case: dict[str, Any] | None = None) -> ops.LaunchPlan:
    spec = lower_container(make_intent(case or {}))
    return lower_exec(intent, spec, cgroup_files=["/cg"], seccomp_program=b"12345678", host_capabilities=(1 << 41) - 1)


def test_exec() -> None:
    plan = _exec(ExecIntent(["ls"], user="bob"), {"Config": {"User": "root", "WorkingDir": "/w"}})
    assert [op.describe().split()[0] for op in plan.ops] == [
        "set",
        "join",
        "find",
        "chdir",
        "join",
        "install",
        "change",
        "exec",
    ]
    assert ops.ResolveUser("bob") in plan.ops and ops.Chdir("/w") in plan.ops
    assert plan.cgroup_files == ["/cg"]


def test_exec_joins_only_what_the_container_has() -> None:
    (join,) = [op for op in _exec(ExecIntent(["ls"]), {"network": {"mode": "host"}}).ops if type(op) is ops.JoinTarget]
    assert join.flags & 0x40000000 == 0
    (join,) = [op for op in _exec(ExecIntent(["ls"])).ops if type(op) is ops.JoinTarget]
    assert join.flags & 0x40000000


def test_privileged_exec() -> None:
    plan = _exec(ExecIntent(["ls"], privileged=True), {"HostConfig": {"SecurityOpt": ["no-new-privileges"]}})
    assert not any(isinstance(op, ops.Seccomp | ops.NoNewPrivs) for op in plan.ops)
    (credentials,) = [op for op in plan.ops if type(op) is ops.Credentials]
    assert credentials.effective == (1 << 41) - 1


def test_exec_without_a_command() -> None:
    with pytest.raises(InvalidParameter, match="No exec command specified"):
        _exec(ExecIntent([]))
