"""`run`: a bundle becomes a running process with our own standard streams, and we wait for its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from windlass.base.errors import Conflict, InvalidParameter, NotSupported, System
from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup
from windlass.launch import init
from windlass.launch.child import enter_pid_namespace
from windlass.launch.init_context import InitContext
from windlass.linux.capabilities import effective_capabilities
from windlass.runtime.facts import probe_host
from windlass.runtime.lower_plan import lower_plan
from windlass.runtime.oci.bundle import read_spec
from windlass.runtime.plan_facts import PlanFacts
from windlass.seccomp.compile import compile_filter
from windlass.spec.plan import BindRoot, LaunchPlan
from windlass.spec.resources import LinuxResources
from windlass.spec.runtime import RuntimeSpec

_PREFIX = "windlass-runtime-"
_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def run_bundle(bundle: str, container_id: str, pid_file: str) -> int:
    """Run a bundle and return its exit code, 128+n for death by signal n.

    Raises:
        WindlassError: it cannot be run; nothing is left behind.
    """
    if not container_id or not set(container_id) <= _ID_CHARACTERS or container_id in (".", ".."):
        raise InvalidParameter(f"invalid container id format: {container_id}")
    spec = read_spec(os.path.realpath(bundle))
    _refuse_what_is_missing(spec)
    driver = make_driver()
    name = spec.linux.cgroups_path.strip("/") or f"{_PREFIX}{container_id}"
    if ".." in name.split("/"):
        raise InvalidParameter(f"invalid cgroupsPath: {name}")
    try:
        cgroup, _warnings = driver.create(name, spec.linux.resources or LinuxResources())
    except FileExistsError:
        raise Conflict(f"container with id exists already: {container_id}") from None
    try:
        return _run(_plan(spec, cgroup), pid_file)
    finally:
        cgroup.kill_all()
        cgroup.remove()


_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")


def _refuse_what_is_missing(spec: RuntimeSpec) -> None:
    """Say what a bundle asks for and would not get; silence would be a lie."""
    if spec.process is not None and spec.process.terminal:
        raise NotSupported("process.terminal needs a console; run it through windlassd")
    if not any(namespace.type == "mount" and not namespace.path for namespace in spec.linux.namespaces):
        raise NotSupported("a container without a mount namespace of its own is not supported")
    hooks = spec.hooks
    if hooks is not None and any(getattr(hooks, name) for name in hooks.__struct_fields__):
        raise NotSupported("hooks are not supported")


def _plan(spec: RuntimeSpec, cgroup: Cgroup) -> LaunchPlan:
    assert spec.root is not None
    driver = make_driver()
    seccomp = spec.linux.seccomp
    facts = PlanFacts(
        root=BindRoot(spec.root.path),
        cgroup_version=probe_host(driver.host).cgroup_version,
        cgroup_files=tuple(cgroup.join_files()),
        cgroup_mounts=tuple(cgroup.mounts()),
        seccomp_program=compile_filter(seccomp) if seccomp is not None else None,
        host_capabilities=effective_capabilities(),
        make_cwd=False,
    )
    return lower_plan(spec, facts)


def _run(plan: LaunchPlan, pid_file: str) -> int:
    enter_pid_namespace(plan)
    cgroup_fds = [os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in plan.cgroup_files]
    error_read, error_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        init.become(InitContext(plan=plan, cgroup_fds=cgroup_fds, passed_fds=[]), error_write)
    os.close(error_write)
    failure = _read_all(error_read)
    if failure:
        os.waitpid(pid, 0)
        raise System(f"run failed: {init.failure_decoder.decode(failure).message}")
    if pid_file:
        with open(pid_file, "w", encoding="ascii") as file:
            file.write(str(pid))
    with _forwarding(pid):
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _read_all(fd: int) -> bytes:
    with open(fd, "rb", buffering=0) as file:
        return file.readall() or b""


@contextmanager
def _forwarding(pid: int) -> Iterator[None]:
    """Pass signals on to the container's process."""

    def forward(number: int, _frame: FrameType | None) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    previous = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
