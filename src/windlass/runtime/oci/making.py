"""One container while it is being made.

The order lets `delete --force` end what a killed command began: the record, which names the control group, before the
group; the group before the process; the process's pid in the record before the process may go on (`holding`).
"""

from __future__ import annotations

import os

from windlass.base import cold_json
from windlass.base.errors import Conflict, WindlassError
from windlass.runtime.oci import holding
from windlass.runtime.oci import state as states
from windlass.runtime.oci.log import now
from windlass.runtime.oci.packing import pack
from windlass.runtime.oci.process import NotStarted
from windlass.runtime.plan_facts import SYNC_PRESTART, PlanFacts
from windlass.spec import struct
from windlass.spec.light import replace, to_builtins
from windlass.spec.runtime import Hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cgroups.model import Cgroup
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.process import Launch
    from windlass.runtime.oci.state import Directory, State
    from windlass.spec.plan import LaunchPlan
    from windlass.spec.runtime import RuntimeSpec

_NO_HOOKS = Hooks()


class Making:
    """The making of one container; `held` stops it before its program. The id is claimed here.

    `make`, then `let_go`; `undo` in between when something failed.
    """

    def __init__(self, call: Call, bundle: str, spec: RuntimeSpec, *, held: bool) -> None:
        self._call = call
        self._spec = spec
        self._held = held
        self._hooks = spec.hooks or _NO_HOOKS
        self._group: Cgroup | None = None
        self._launch: Launch | None = None
        self._opened: list[int] = []
        self.state: State = self._record(bundle)
        self._directory: Directory = states.Directory.make(call.root, call.words[0])

    @property
    def pidfd(self) -> int:
        """A descriptor of the first process, until `let_go`."""
        return self._launch.pidfd if self._launch is not None else -1

    def make(self, terminal_socket: int | None) -> None:
        """Make everything up to the waiting or running process.

        Raises:
            WindlassError: something is refused; the caller undoes.
        """
        self._check_group()
        self._directory.save(self.state)
        self._keep_config()
        self._make_group()
        request, fds = self._request(terminal_socket)
        try:
            assert self._call.interpreter is not None
            self._launch = launch = self._call.interpreter.launch(request, fds, self._failure_ends())
            self.state = replace(self.state, pid=launch.pid, start_time=states.process_start_time(launch.pid))
            self._directory.save(self.state)
            self._add_to_rdt_group()
            launch.follow(self._answer, until=holding.CREATED if self._held else None)
        except NotStarted as error:
            raise NotStarted(f"unable to start container process: {error.message}", error.exit_code) from None

    def _add_to_rdt_group(self) -> None:
        if self._spec.linux.intel_rdt is not None:
            from windlass.runtime.oci.rdt import add_process

            add_process(self._spec.linux.intel_rdt, self.state.id, self.state.pid)

    def started(self) -> None:
        """Run the hooks for after the start; their failures are only logged."""
        if self._hooks.poststart:
            from windlass.runtime.oci.hooks import run_and_log

            document = states.oci_state(self.state, "running")
            run_and_log("poststart", self._hooks.poststart, document, self._call.log)

    def undo(self) -> None:
        """Leave nothing behind."""
        from windlass.runtime.oci.delete import end_container

        if self._launch is not None:
            self._launch.close()
        try:
            end_container(self.state, self._call.log)
        except (WindlassError, OSError) as error:
            # The first error is the one to tell; the record stays, for `delete --force`.
            self._call.log.warn(f"undo: {error}")
            return
        self._directory.remove()

    def let_go(self) -> None:
        """Close what the making needed; other commands may look at the container now."""
        if self._launch is not None:
            self._launch.close()
        if self._group is not None:
            self._group.settle()
        for fd in self._opened:
            os.close(fd)
        self._opened.clear()
        self._directory.unlock()

    def _record(self, bundle: str) -> State:
        from windlass.cgroups.names import oci_name

        spec, systemd = self._spec, self._call.systemd
        assert spec.root is not None
        path = spec.linux.cgroups_path
        container_id = self._call.words[0]
        return states.State(
            id=container_id,
            bundle=bundle,
            created=now(),
            oci_version=spec.oci_version,
            rootfs=spec.root.path,
            cgroup=path if systemd else oci_name(path, container_id),
            systemd=systemd,
            annotations=spec.annotations,
            shares_pids=not any(namespace.type == "pid" and not namespace.path for namespace in spec.linux.namespaces),
            hooks=_later(self._hooks),
            rdt=_rdt_group(spec, container_id),
        )

    def _check_group(self) -> None:
        """Refuse a group that somebody else uses: from the record on it is ours to kill."""
        from windlass.runtime.oci.groups import open_group

        if not self.state.systemd and (group := open_group(self.state)).exists() and (found := group.processes()):
            self.state = replace(self.state, cgroup="")
            raise Conflict(f"container's cgroup is not empty: {len(found)} process(es) found")

    def _keep_config(self) -> None:
        """Keep the configuration for `exec`: the bundle's own may change."""
        with open(os.path.join(self.state.bundle, states.CONFIG), "rb", buffering=0) as file:
            self._directory.write(states.CONFIG, file.readall() or b"")

    def _make_group(self) -> None:
        from windlass.cgroups.model import CgroupError
        from windlass.runtime.oci.groups import driver_for
        from windlass.spec.resources import LinuxResources

        driver = driver_for(self.state.systemd)
        resources = self._spec.linux.resources or LinuxResources()
        try:
            self._group, warnings = driver.create(self.state.cgroup, resources, strict=True)
        except CgroupError as error:
            # What an ordinary user may not have, and did not ask for.
            if not self._call.is_rootless or struct.replace(resources, devices=[]) != LinuxResources():
                raise
            self._call.log.debug(f"without a control group: {error.message}")
            self.state = replace(self.state, cgroup="")
            return
        for warning in warnings:
            self._call.log.warn(warning)
        if self._spec.linux.intel_rdt is not None:
            from windlass.runtime.oci.rdt import make_group

            make_group(self._spec.linux.intel_rdt, self.state.id)

    def _request(self, terminal_socket: int | None) -> tuple[dict[str, object], dict[str, int]]:
        """Return what the sealed interpreter is told, and the descriptors that go with it."""
        preserved = self._call.values.number("preserve-fds")
        request: dict[str, object] = {"plan": pack(self._plan()), "preserved": preserved}
        fds = {}
        if terminal_socket is not None:
            fds["terminal"] = terminal_socket
        if self._held:
            os.mkfifo(self._directory.file(states.START_FIFO), 0o600)
            # Open for both, so that it waits for nobody; the process alone keeps it.
            fds["start"] = self._keep(states.START_FIFO, os.O_RDWR)
        process = self._spec.process
        if process is not None and process.console_size is not None:
            request.update(rows=process.console_size.height, columns=process.console_size.width)
        return request, fds

    def _failure_ends(self) -> tuple[int, int] | None:
        """Return the two ends of the way of a failure, in the directory where `start` looks for it."""
        if not self._held:
            return None
        os.mkfifo(self._directory.file(states.FAILURE_FIFO), 0o600)
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        reading = os.open(states.FAILURE_FIFO, flags, dir_fd=self._directory.fd)
        writing = os.open(states.FAILURE_FIFO, os.O_WRONLY | os.O_CLOEXEC, dir_fd=self._directory.fd)
        os.set_blocking(reading, True)
        return reading, writing

    def _keep(self, name: str, flags: int) -> int:
        fd = os.open(name, flags | os.O_CLOEXEC, dir_fd=self._directory.fd)
        self._opened.append(fd)
        return fd

    def _plan(self) -> LaunchPlan:
        from windlass.linux.capabilities import effective_capabilities
        from windlass.runtime.lower_plan import lower_plan
        from windlass.runtime.oci.groups import driver_for
        from windlass.spec.plan import BindRoot, NewKeyring

        spec, values = self._spec, self._call.values
        assert spec.root is not None
        group = self._group
        facts = PlanFacts(
            root=BindRoot(spec.root.path),
            cgroup_version=driver_for(self.state.systemd).host.version,
            cgroup_files=tuple(group.join_files()) if group is not None else (),
            cgroup_mounts=tuple(group.mounts()) if group is not None else (),
            seccomp_program=self._filter(),
            host_capabilities=effective_capabilities(),
            wait_start=self._held,
            kcore=os.path.exists("/proc/kcore"),
            no_pivot=values.on("no-pivot"),
            preserve_fds=values.number("preserve-fds"),
            sync_points=self._sync_points(),
            state_creating=self._hook_state("creating"),
            state_created=self._hook_state("created"),
            security_modules=security_modules(spec),
        )
        plan = holding.hold(lower_plan(spec, facts))
        if values.on("no-new-keyring"):
            plan = struct.replace(plan, ops=[op for op in plan.ops if not isinstance(op, NewKeyring)])
        return plan

    def _filter(self) -> bytes | None:
        """Compile the filter, and keep it for processes to come."""
        seccomp = self._spec.linux.seccomp
        if seccomp is None:
            return None
        from windlass.seccomp.compile import compile_filter

        program = compile_filter(seccomp)
        self._directory.write(states.FILTER, program)
        return program

    def _sync_points(self) -> frozenset[str]:
        """Where the process waits for us; a stop that nobody needs costs a tenth of a millisecond."""
        if self._hooks.prestart or self._hooks.create_runtime or self._spec.linux.net_devices:
            return frozenset({SYNC_PRESTART})
        return frozenset()

    def _hook_state(self, word: str) -> str:
        """Return the state for the hooks that init runs."""
        if not self._hooks.create_container and not self._hooks.start_container:
            return "{}"
        document = states.oci_state(self.state, word)
        del document["pid"]
        return cold_json.dumps(document)

    def _answer(self, point: str, _pid: int, fd: int) -> str:
        """Do what is ours to do at one of the process's stops; returns why it must not go on."""
        try:
            if point == SYNC_PRESTART:
                self._prestart()
            elif point == "seccomp":
                self._send_listener(fd)
        except (WindlassError, OSError) as error:
            return str(error)
        return ""

    def _prestart(self) -> None:
        """Give the network namespace its interfaces, then run the hooks that see the container from outside."""
        devices = self._spec.linux.net_devices
        if devices:
            from windlass.runtime.oci.net_devices import move_devices

            move_devices(devices, self.state.pid)
        hooks = self._hooks
        if hooks.prestart or hooks.create_runtime:
            from windlass.runtime.oci.hooks import run_hooks

            document = states.oci_state(self.state, "creating")
            run_hooks("prestart", hooks.prestart, document)
            run_hooks("createRuntime", hooks.create_runtime, document)

    def _send_listener(self, fd: int) -> None:
        """Give the filter's listener to the agent that the configuration names."""
        from windlass.runtime.oci.listener import send_listener

        seccomp = self._spec.linux.seccomp
        assert seccomp is not None and self._launch is not None
        send_listener(seccomp, self._launch.pidfd, fd, self.state.pid, states.oci_state(self.state, "creating"))


def _rdt_group(spec: RuntimeSpec, container_id: str) -> str:
    if spec.linux.intel_rdt is None:
        return ""
    from windlass.runtime.oci.rdt import group_name

    return group_name(spec.linux.intel_rdt, container_id)


def _later(hooks: Hooks) -> dict[str, list[dict[str, object]]]:
    """Return the hooks of later commands by moment."""
    found = {"poststart": hooks.poststart, "poststop": hooks.poststop}
    return {name: to_builtins(some) for name, some in found.items() if some}


def security_modules(spec: RuntimeSpec) -> frozenset[str]:
    """Return the modules of this host whose labels the container asks for."""
    process = spec.process
    asked = spec.linux.mount_label or (process and (process.apparmor_profile or process.selinux_label))
    if not asked:
        return frozenset()
    from windlass.runtime.oci.validate_host import has_apparmor, has_selinux

    found = {"apparmor": has_apparmor(), "selinux": has_selinux()}
    return frozenset(name for name, there in found.items() if there)
