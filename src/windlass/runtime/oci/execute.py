"""`exec`: one more process in a running container.

Source: runc-exec(8); runtime-spec config.md, "Process".
"""

from __future__ import annotations

import os

from windlass.base import cold_json
from windlass.base.errors import Conflict, InvalidParameter, System
from windlass.linux.namespaces import CLONE_NEWPID
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import at_least
from windlass.runtime.oci.create import check_console, write_pid_file
from windlass.runtime.oci.packing import pack
from windlass.runtime.oci.process import NotStarted
from windlass.spec import struct
from windlass.spec.light import convert, replace
from windlass.spec.plan import AnyOp, Fork, JoinTarget
from windlass.spec.runtime import Capabilities, Process, RuntimeSpec, User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.foreground import Foreground
    from windlass.runtime.oci.process import Launch
    from windlass.runtime.oci.state import Directory, State
    from windlass.spec.plan import LaunchPlan

_MAX_PROCESS_BYTES = 16 << 20
_MAX_FILTER_BYTES = 1 << 20
_MAX_UID = (1 << 32) - 2


def execute(call: Call) -> int:
    """Run the process, and unless detached return its exit code."""
    at_least(call.words, 1 if call.values.text("process") else 2, "exec")
    from windlass.runtime.oci.foreground import Foreground

    directory = states.Directory.open(call.root, call.words[0], wait=False)
    try:
        state = directory.state()
        _check_status(call, directory, state)
        spec: RuntimeSpec = convert(cold_json.loads(directory.config()), RuntimeSpec)
        process = wanted_process(call, spec)
        follows = not call.values.on("detach")
        check_console(call.values.text("console-socket"), wanted=process.terminal, follows=follows)
        adopts = not call.values.on("no-subreaper")
        with Foreground(follows=follows, terminal=follows and process.terminal, adopts=adopts) as front:
            pid = _launch(call, directory, state, spec, process, front)
            return front.wait(pid) if follows else 0
    finally:
        directory.unlock()


def _check_status(call: Call, directory: Directory, state: State) -> None:
    word = states.status(directory, state)
    if word in ("stopped", "creating"):
        raise Conflict("cannot exec in a stopped container")
    if word == "paused" and not call.values.on("ignore-paused"):
        raise Conflict("cannot exec in a paused container (use --ignore-paused to override)")


def _launch(
    call: Call, directory: Directory, state: State, spec: RuntimeSpec, process: Process, front: Foreground
) -> int:
    """Start the process; returns its pid when its program runs."""
    assert call.interpreter is not None
    target = os.pidfd_open(state.pid)
    opened = [target]
    try:
        # Asked again now that the pid can no longer change hands.
        if not states.is_alive(state):
            raise Conflict("cannot exec in a stopped container")
        fds = {"target": target}
        if front.terminal_socket is not None:
            fds["terminal"] = front.terminal_socket
        elif path := call.values.text("console-socket"):
            from windlass.runtime.oci.foreground import connect

            fds["terminal"] = connect(path)
            opened.append(fds["terminal"])
        plan = _plan(call, directory, state, spec, process)
        preserved = call.values.number("preserve-fds")
        request: dict[str, object] = {"plan": pack(plan), "preserved": preserved}
        if process.console_size is not None:
            request.update(rows=process.console_size.height, columns=process.console_size.width)
        launch = call.interpreter.launch(request, fds)
    except NotStarted as error:
        raise _failed(error) from None
    except ProcessLookupError:
        raise Conflict("cannot exec in a stopped container") from None
    finally:
        for fd in opened:
            os.close(fd)
    return _follow(call, launch, spec, state, front)


def _failed(error: NotStarted) -> NotStarted:
    return NotStarted(f"exec failed: unable to start container process: {error.message}", error.exit_code)


def _follow(call: Call, launch: Launch, spec: RuntimeSpec, state: State, front: Foreground) -> int:
    def answer(point: str, _pid: int, fd: int) -> str:
        seccomp = spec.linux.seccomp
        if point == "seccomp" and seccomp is not None:
            from windlass.runtime.oci.listener import send_listener

            try:
                send_listener(seccomp, launch.pidfd, fd, launch.pid, states.oci_state(state, "running"))
            except (System, OSError) as error:
                return str(error)
        return ""

    try:
        launch.follow(answer)
        if path := call.values.text("pid-file"):
            write_pid_file(path, launch.pid)
        front.take(launch.pidfd)
    except NotStarted as error:
        front.reap(launch.pid)
        raise _failed(error) from None
    finally:
        launch.close()
    return launch.pid


def _plan(call: Call, directory: Directory, state: State, spec: RuntimeSpec, process: Process) -> LaunchPlan:
    from windlass.cgroups.names import sub_groups
    from windlass.linux.capabilities import effective_capabilities
    from windlass.runtime.oci.groups import open_group
    from windlass.runtime.oci.making import security_modules
    from windlass.runtime.plan_exec import plan_exec

    below = sub_groups(call.values.all("cgroup"))
    files = open_group(state).join_files(below, init_pid=state.pid) if state.cgroup or below else []
    plan = plan_exec(
        process,
        spec,
        cgroup_files=files,
        seccomp_program=_filter(directory),
        host_capabilities=effective_capabilities(),
        security_modules=security_modules(replace(spec, process=process)),
        preserve_fds=call.values.number("preserve-fds"),
    )
    return _into_pid_namespace(plan, spec, state.pid)


def _into_pid_namespace(plan: LaunchPlan, spec: RuntimeSpec, pid: int) -> LaunchPlan:
    """Let the process be born in the container's pid namespace.

    Where there is a user namespace that one belongs to it, and an ordinary user can join it only from inside: all at
    once, and then by another fork.
    """
    types = {namespace.type for namespace in spec.linux.namespaces}
    if "pid" not in types:
        return plan
    if "user" not in types:
        return struct.replace(plan, pid_namespace=f"/proc/{pid}/ns/pid")
    steps: list[AnyOp] = []
    for op in plan.ops:
        steps += [JoinTarget(op.flags | CLONE_NEWPID), Fork()] if isinstance(op, JoinTarget) else [op]
    return struct.replace(plan, ops=steps)


def _filter(directory: Directory) -> bytes | None:
    try:
        return directory.read(states.FILTER, _MAX_FILTER_BYTES)
    except FileNotFoundError:
        return None


def wanted_process(call: Call, spec: RuntimeSpec) -> Process:
    """Return the process: that of the file, or the container's with what the options change.

    Raises:
        InvalidParameter: the file is not a process, or an option has an impossible value.
    """
    values = call.values
    if path := values.text("process"):
        from windlass.runtime.oci.validate import parse_process

        process = parse_process(_read(path), call.log.warn)
        return replace(process, terminal=True) if values.on("tty") else process
    assert spec.process is not None
    process = spec.process
    changed: Process = replace(
        process,
        args=call.words[1:],
        cwd=_directory(values.text("cwd")) or process.cwd,
        env=[*process.env, *values.all("env")],
        terminal=values.on("tty"),
        user=_user(values.text("user"), values.all("additional-gids"), process.user),
        capabilities=_with_capabilities(process.capabilities, values.all("cap")),
        apparmor_profile=values.text("apparmor") or process.apparmor_profile,
        selinux_label=values.text("process-label") or process.selinux_label,
        no_new_privileges=values.on("no-new-privs") if values.given("no-new-privs") else process.no_new_privileges,
    )
    return changed


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(_MAX_PROCESS_BYTES + 1)
    if len(data) > _MAX_PROCESS_BYTES:
        raise InvalidParameter(f"{path} is larger than {_MAX_PROCESS_BYTES} bytes")
    return data


def _directory(path: str) -> str:
    if path and not path.startswith("/"):
        raise InvalidParameter(f"cwd must be an absolute path: {path}")
    return path


def _user(text: str, groups: list[str], user: User) -> User:
    # Of a bundle, numbers count; a name would be looked up in the container's own files.
    changes: dict[str, object] = {"username": "", "additional_groups": []}
    if text:
        uid, colon, gid = text.partition(":")
        changes["uid"] = _number(uid, "user")
        if colon:
            changes["gid"] = _number(gid, "user")
    if groups:
        changes["additional_gids"] = [*user.additional_gids, *(_number(group, "additional-gids") for group in groups)]
    changed: User = replace(user, **changes)
    return changed


def _number(text: str, option: str) -> int:
    if not text.isdecimal() or len(text) > 10 or int(text) > _MAX_UID:
        raise InvalidParameter(f"parsing {text!r} as int for -{option} failed: not an id")
    return int(text)


def _with_capabilities(sets: Capabilities | None, more: list[str]) -> Capabilities | None:
    if not more:
        return sets
    sets = sets or Capabilities()
    changed: Capabilities = replace(
        sets,
        bounding=list(dict.fromkeys([*sets.bounding, *more])),
        effective=list(dict.fromkeys([*sets.effective, *more])),
        permitted=list(dict.fromkeys([*sets.permitted, *more])),
    )
    return changed
