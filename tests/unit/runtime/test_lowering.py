"""Rules of lowering that the golden plans do not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.support.plan_cases import make_intent, make_plan

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.runtime.environment import container_environment, exec_environment
from windlass.runtime.intent import DaemonDefaults
from windlass.runtime.lower_exec import ExecIntent, lower_exec
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.lower_spec import cgroup_name, group_name, lower_container, working_directory
from windlass.runtime.mount_options import parse_mount_options
from windlass.runtime.plan_exec import plan_exec
from windlass.runtime.plan_facts import PlanFacts
from windlass.runtime.resources import limits
from windlass.spec import plan as ops
from windlass.spec.container import ContainerConfig, HostConfig
from windlass.spec.resources import LinuxCpu, LinuxMemory, LinuxPids, LinuxResources
from windlass.spec.runtime import (
    Capabilities,
    CpuAffinity,
    Hook,
    Hooks,
    IdMapping,
    IoPriority,
    Linux,
    MemoryPolicy,
    Mount,
    Namespace,
    Personality,
    Process,
    Root,
    RuntimeSpec,
    Scheduler,
    TimeOffset,
    User,
)
from windlass.spec.seccomp import LinuxSeccomp, LinuxSyscall

_FACTS = PlanFacts(ops.BindRoot("/bundle/rootfs"))


def _spec(process: Process | None = None, *, namespaces: tuple[str, ...] = (), **linux: Any) -> RuntimeSpec:
    own = [Namespace("mount"), *(Namespace(*name.split("=")) for name in namespaces)]
    members = Linux(namespaces=own, **linux)
    return RuntimeSpec("1.2.0", process or Process("/", ["true"]), Root("rootfs"), linux=members)


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


def test_name_of_a_scope() -> None:
    defaults = DaemonDefaults(cgroup_parent="", systemd_cgroups=True)
    assert group_name("", defaults, "ID") == "system.slice:windlass:ID"
    assert group_name("team-a.slice", defaults, "ID") == "team-a.slice:windlass:ID"
    for parent in ("/team", "team", "a/b.slice"):
        with pytest.raises(InvalidParameter, match="valid slice"):
            group_name(parent, defaults, "ID")


# --- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a", "./a"])
def test_relative_working_directory(path: str) -> None:
    with pytest.raises(InvalidParameter, match=f"the working directory '{path}' is invalid"):
        working_directory(path)


@pytest.mark.parametrize(("on", "expected"), [(True, "web"), (False, "")])
def test_profiles_of_apparmor_count_where_the_host_has_it(on: bool, expected: str) -> None:
    case = {"HostConfig": {"SecurityOpt": ["apparmor=web", "label=disable"]}, "facts": {"apparmor": on}}
    process = lower_container(make_intent(case)).process
    assert process is not None and process.apparmor_profile == expected


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


def test_a_bundle_without_namespaces_unshares_only_mounts() -> None:
    plan = lower_plan(_spec(), _FACTS)
    assert [op for op in plan.ops if isinstance(op, ops.Unshare | ops.SetNs | ops.JoinCgroup)] == [ops.Unshare(0x20000)]
    assert not plan.new_pid_namespace


@pytest.mark.parametrize(
    ("linux", "message"),
    [
        ({"namespaces": ("odd",)}, "unknown namespace type"),
        ({"namespaces": ("uts", "uts")}, "named twice"),
        ({"namespaces": ("user",)}, "needs uidMappings"),
        ({"rootfs_propagation": "odd"}, "rootfsPropagation=odd is not supported"),
        ({"sysctl": {"kernel.panic": "1"}}, "not in a separate kernel namespace"),
        ({"time_offsets": {"boottime": TimeOffset(1)}}, "need a time namespace"),
        ({"personality": Personality("LINUX", ["X"])}, "personality flag X is not supported"),
        ({"memory_policy": MemoryPolicy("MPOL_ODD")}, "unknown memory policy: MPOL_ODD"),
    ],
)
def test_a_bundle_that_contradicts_itself(linux: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        lower_plan(_spec(**linux), _FACTS)


def test_a_bundle_without_a_mount_namespace_is_refused() -> None:
    spec = RuntimeSpec("1.2.0", Process("/", ["true"]), Root("rootfs"), linux=Linux(namespaces=[Namespace("pid")]))
    with pytest.raises(InvalidParameter, match="in the host's mount namespace"):
        lower_plan(spec, _FACTS)


# --- namespaces -------------------------------------------------------------------------------------------

_MAPS = {"uid_mappings": [IdMapping(0, 1000, 5)], "gid_mappings": [IdMapping(0, 2000, 6)]}


def _names(plan: ops.LaunchPlan) -> list[str]:
    return [type(op).__name__ for op in plan.ops]


def test_the_order_with_a_user_namespace() -> None:
    spec = _spec(Process("/", ["true"], oom_score_adj=5), namespaces=("pid", "network", "uts=/n/uts", "user"), **_MAPS)
    plan = lower_plan(msgspec.structs.replace(spec, hostname="h"), _FACTS)
    assert _names(plan)[:13] == [
        "OomScoreAdj",
        "SetNs",
        "Unshare",
        "UserNs",
        "Propagation",
        "BindRoot",
        "PrepareBinds",
        "EnterUserNs",
        "Unshare",
        "Fork",
        "LoopbackUp",
        "Hostname",
        "NewKeyring",
    ]
    assert ops.UserNs([ops.IdRange(0, 1000, 5)], [ops.IdRange(0, 2000, 6)]) in plan.ops
    assert ops.AttachRoot("/") in plan.ops
    assert [op.flags for op in plan.ops if type(op) is ops.Unshare] == [0x20000, 0x60020000]
    assert not plan.new_pid_namespace and not plan.pid_namespace


def test_an_ordinary_user_enters_its_user_namespace_first() -> None:
    facts = msgspec.structs.replace(_FACTS, host_capabilities=0)
    plan = lower_plan(_spec(namespaces=("user", "ipc=/n/ipc"), **_MAPS), facts)
    assert _names(plan)[:4] == ["UserNs", "EnterUserNs", "SetNs", "Unshare"]


def test_namespaces_that_are_passed_or_joined() -> None:
    facts = msgspec.structs.replace(_FACTS, netns_fd=0, userns_fd=1)
    plan = lower_plan(_spec(namespaces=("network", "user"), **_MAPS), facts)
    assert ops.SetNs(0x40000000, fd=0) in plan.ops
    assert [op.fd for op in plan.ops if type(op) is ops.UserNs] == [1]
    plan = lower_plan(_spec(namespaces=("pid=/n/pid", "user=/n/user", "cgroup=/n/cg", "time=/n/time")), _FACTS)
    assert [(op.nstype, op.path) for op in plan.ops if type(op) is ops.SetNs] == [
        (0x20000000, "/n/pid"),
        (0x02000000, "/n/cg"),
        (0x80, "/n/time"),
    ]
    assert ops.UserNs(path="/n/user") in plan.ops and ops.Fork() in plan.ops and not plan.pid_namespace


def test_a_mount_namespace_is_joined_last_and_left_as_it_is() -> None:
    spec = RuntimeSpec(
        "1.2.0",
        Process("/", ["true"]),
        Root("/"),
        linux=Linux(namespaces=[Namespace("mount", "/n/mnt"), Namespace("ipc", "/n/ipc")]),
    )
    plan = lower_plan(spec, msgspec.structs.replace(_FACTS, root=ops.BindRoot("/")))
    order = ["SetNs", "PrepareBinds", "SetNs", "NewKeyring", "UseRoot"]
    assert _names(plan)[:5] == order
    assert ops.PivotRoot(chroot=True) in plan.ops
    assert not any(isinstance(op, ops.Unshare | ops.Propagation | ops.BindRoot) for op in plan.ops)


def test_a_time_namespace_forks_after_its_offsets() -> None:
    linux = {"time_offsets": {"monotonic": TimeOffset(5, 7)}}
    plan = lower_plan(_spec(namespaces=("pid", "time"), **linux), _FACTS)
    assert _names(plan)[:3] == ["Unshare", "TimeOffsets", "Fork"]
    assert ops.TimeOffsets([("monotonic", 5, 7)]) in plan.ops
    assert not plan.new_pid_namespace


# --- mounts -----------------------------------------------------------------------------------------------


def _mounted(*mounts: Mount, **more: Any) -> list[ops.AnyOp]:
    return lower_plan(msgspec.structs.replace(_spec(**more), mounts=list(mounts)), _FACTS).ops


def test_mount_options() -> None:
    words = ["rbind", "ro", "rw", "rro", "rnosuid", "noatime", "rslave", "ridmap", "size=1", "newinstance"]
    options = parse_mount_options(words)
    assert (options.bind, options.recursive, options.idmap, options.recursive_idmap) == (True,) * 4
    assert (options.attr_set, options.attr_clear) == (0x10, 0x71)
    assert (options.recursive_attr_set, options.recursive_attr_clear) == (0x3, 0)
    assert options.data == (("size", "1"), ("newinstance", None))


def test_a_mount_of_cgroup_two_by_bind_is_a_bind() -> None:
    assert ops.Bind("/y", "/x", recursive=False) in _mounted(Mount("/x", "bind", "/y", ["bind"]))


def test_mapped_mounts() -> None:
    own = Mount("/x", "bind", "/y", ["bind"], [IdMapping(0, 7, 1)], [IdMapping(0, 8, 1)])
    (bind,) = (op for op in _mounted(own) if type(op) is ops.Bind)
    assert (bind.idmap, bind.uid_map, bind.gid_map) == (True, [ops.IdRange(0, 7, 1)], [ops.IdRange(0, 8, 1)])
    container_s = Mount("/x", "bind", "/y", ["bind", "idmap"])
    (bind,) = (op for op in _mounted(container_s, namespaces=("user",), **_MAPS) if type(op) is ops.Bind)
    assert bind.idmap and not bind.uid_map
    for mount, message in (
        (container_s, "needs mappings"),
        (Mount("/x", "tmpfs", "tmpfs", ["idmap"]), "only a bind"),
        (Mount("/x", "bind", "/y", ["bind"], [IdMapping(0, 7, 1)]), "go together"),
    ):
        with pytest.raises(InvalidParameter, match=message):
            _mounted(mount)


def test_the_terminals_group_only_where_it_exists() -> None:
    devpts = Mount("/dev/pts", "devpts", "devpts", ["newinstance", "gid=5", "mode=620"])
    assert ("gid", "5") in next(op.options for op in _mounted(devpts) if type(op) is ops.MountFs)
    inside = _mounted(devpts, namespaces=("user",), **(_MAPS | {"gid_mappings": [IdMapping(0, 2000, 5)]}))
    assert ("gid", "5") not in next(op.options for op in inside if type(op) is ops.MountFs)


def test_remounts_and_propagation() -> None:
    found = _mounted(
        Mount("/a", "", "", ["remount", "ro", "size=1m"]), Mount("/b", "tmpfs", "tmpfs", ["rshared", "rnoexec"])
    )
    assert ops.Remount("/a", 1, 0, [("size", "1m")]) in found
    (tmpfs,) = (op for op in found if type(op) is ops.MountFs)
    assert (tmpfs.propagation, tmpfs.recursive_attr_set) == (0x104000, 0x8)


# --- hooks, labels, scheduling ----------------------------------------------------------------------------


def test_hooks_that_init_runs() -> None:
    hooks = Hooks(create_container=[Hook("/c", ["c", "1"], ["A=1"], 3)], start_container=[Hook("/s")])
    process = Process("/", ["sh"], env=["PATH=/a", "PATH=/b"], no_new_privileges=True)
    facts = msgspec.structs.replace(
        _FACTS,
        wait_start=True,
        sync_points=frozenset({"namespaces", "prestart"}),
        state_creating='{"status":"creating"}',
        state_created='{"status":"created"}',
    )
    plan = lower_plan(msgspec.structs.replace(_spec(process), hooks=hooks), facts)
    create = ops.RunHooks("createContainer", [ops.HookCommand("/c", ["c", "1"], ["A=1"], 3)], facts.state_creating)
    start = ops.RunHooks("startContainer", [ops.HookCommand("/s")], facts.state_created)
    order = [
        ops.Sync("namespaces"),
        ops.NewKeyring("_ses.windlass"),
        ops.Sync("prestart"),
        create,
        ops.PivotRoot(),
        ops.FindProgram("sh", "/b"),
        ops.WaitStart(),
        start,
        ops.NoNewPrivs(),
    ]
    assert [op for op in plan.ops if op in order] == order
    # With the rights of the program, not with ours.
    assert _names(plan).index("Credentials") < plan.ops.index(start)


def test_labels_need_their_modules() -> None:
    labelled = Process("/", ["true"], apparmor_profile="web", selinux_label="a:b:c")
    facts = msgspec.structs.replace(_FACTS, security_modules=frozenset({"apparmor", "selinux"}))
    assert ops.Labels("web", "a:b:c") in lower_plan(_spec(labelled, mount_label="m"), facts).ops
    for process, more in (
        (Process("/", ["true"], apparmor_profile="web"), {}),
        (Process("/", ["true"], selinux_label="a:b:c"), {}),
        (None, {"mount_label": "m"}),
    ):
        with pytest.raises(NotSupported, match=r"selinux|apparmor"):
            lower_plan(_spec(process, **more), _FACTS)
    unconfined = lower_plan(_spec(Process("/", ["true"], apparmor_profile="unconfined")), _FACTS)
    assert "Labels" not in _names(unconfined)


def test_scheduling_in_the_cgroup_before_the_privileges_go() -> None:
    process = Process(
        "/",
        ["true"],
        user=User(umask=0o27),
        scheduler=Scheduler("SCHED_RR", priority=3, flags=["SCHED_FLAG_RESET_ON_FORK"]),
        io_priority=IoPriority("IOPRIO_CLASS_IDLE", 2),
        exec_cpu_affinity=CpuAffinity("0", "1-2"),
    )
    linux = {
        "personality": Personality("LINUX32"),
        "memory_policy": MemoryPolicy("MPOL_BIND", "0-1", ["MPOL_F_STATIC_NODES"]),
    }
    facts = msgspec.structs.replace(_FACTS, cgroup_files=("/cg",), init=True, preserve_fds=2)
    spec = _spec(process, **linux)
    steps = [
        ops.JoinCgroup(),
        ops.Personality(8),
        ops.MemoryPolicy(0x8002, [0, 1]),
        ops.SchedulerPolicy(2, 1, priority=3),
        ops.IoPriority(3, 2),
        ops.Umask(0o27),
        ops.Credentials(0, 0, 0),
    ]
    assert lower_plan(spec, facts).ops[-9:] == [*steps, ops.BecomeInit(), ops.Exec(["true"], [], 2)]
    found = plan_exec(process, spec, cgroup_files=["/cg"], seccomp_program=None, host_capabilities=0).ops
    assert found[0] == ops.CpuAffinity([0])
    assert found[-9:-1] == [steps[0], ops.CpuAffinity([1, 2]), *steps[1:]]


def test_ambient_capabilities_are_those_that_the_kernel_gives() -> None:
    some = ["CAP_CHOWN", "CAP_KILL"]
    capabilities = Capabilities(permitted=some, inheritable=["CAP_KILL"], ambient=some)
    plan = lower_plan(_spec(Process("/", ["true"], capabilities=capabilities)), _FACTS)
    assert [op.ambient for op in plan.ops if isinstance(op, ops.Credentials)] == [1 << 5]


def test_a_filter_with_a_listener() -> None:
    rules = [LinuxSyscall(["mkdir"], "SCMP_ACT_NOTIFY")]
    flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_LOG"]
    facts = msgspec.structs.replace(_FACTS, seccomp_program=b"12345678")
    asked = lower_plan(_spec(seccomp=LinuxSeccomp("SCMP_ACT_ALLOW", flags=flags, syscalls=rules)), facts)
    assert ops.Seccomp(b"12345678", 0x22, True) in asked.ops
    plain = lower_plan(_spec(seccomp=LinuxSeccomp("SCMP_ACT_ALLOW", flags=flags)), facts)
    assert ops.Seccomp(b"12345678", 0x2) in plain.ops
    for seccomp in (
        LinuxSeccomp("SCMP_ACT_NOTIFY"),
        LinuxSeccomp("SCMP_ACT_ALLOW", syscalls=[LinuxSyscall(["write"], "SCMP_ACT_NOTIFY")]),
    ):
        with pytest.raises(InvalidParameter, match="SCMP_ACT_NOTIFY cannot be used"):
            lower_plan(_spec(seccomp=seccomp), facts)


def test_joining_the_cgroup_is_late_and_the_filter_sees_only_the_exec() -> None:
    kinds = [type(op) for op in make_plan({"HostConfig": {"SecurityOpt": ["no-new-privileges"]}}).ops]
    assert kinds[-5:] == [ops.JoinCgroup, ops.Credentials, ops.NoNewPrivs, ops.Seccomp, ops.Exec]
    kinds = [type(op) for op in make_plan({}).ops]
    assert kinds[-4:] == [ops.JoinCgroup, ops.Seccomp, ops.Credentials, ops.Exec]


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
