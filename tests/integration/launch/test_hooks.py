"""Hooks that init runs, and its waits for the runtime that launched it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from tests.support.launching import Bench
from tests.support.planned import make_process, make_spec, make_task, output

from windlass.launch import init
from windlass.launch.init_context import InitContext
from windlass.linux.process import copy_fd
from windlass.runtime.task import StartFailed
from windlass.seccomp.compile import compile_filter
from windlass.spec import plan as ops
from windlass.spec.runtime import Hook, Hooks, Process, RuntimeSpec, User
from windlass.spec.seccomp import LinuxSeccomp, LinuxSyscall

pytestmark = pytest.mark.root

_STATES = {
    "state_creating": '{"ociVersion":"1.2.0","id":"c","status":"creating","bundle":"/b"}',
    "state_created": '{"ociVersion":"1.2.0","id":"c","status":"created","bundle":"/b"}',
}


def _spec(hooks: Hooks, process: Process | None = None) -> RuntimeSpec:
    return msgspec.structs.replace(make_spec(process or make_process("cat", "/seen")), hooks=hooks)


def _script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


async def test_create_container_is_found_on_the_host_and_runs_in_the_namespaces(bench: Bench) -> None:
    root = bench.directory / "containers/c/root"
    script = f'cat > {root}/state; echo "$1 $A $# $(readlink /proc/self/ns/net)" > {root}/seen; ls /proc/self/fd'
    hook = Hook(_script(bench.directory / "hook", script), ["name", "one"], ["A=b", "PATH=/bin:/usr/bin"])
    data = await output(bench, _spec(Hooks(create_container=[hook]), make_process("cat", "/state", "/seen")), **_STATES)
    state, _, seen = data.partition("}")
    # What the hook says on stdout is ours; it has no descriptor but the streams and that of its `ls`.
    fds, _, state = state.rpartition("{")
    assert fds.split() == ["0", "1", "2", "3"]
    assert json.loads(f"{{{state}}}") == json.loads(_STATES["state_creating"]) | {"pid": 1}
    words = seen.split()
    assert words[:3] == ["one", "b", "1"]
    assert words[3] != os.readlink("/proc/self/ns/net")


async def test_start_container_runs_inside_as_the_user(bench: Bench) -> None:
    hook = Hook("/bin/sh", ["sh", "-c", "/bin/cat; echo; /bin/grep -E 'Cap(Eff|Bnd)|Uid' /proc/self/status"])
    process = make_process("true", user=User(1000, 1000), no_new_privileges=True)
    state, *lines = (await output(bench, _spec(Hooks(start_container=[hook]), process), **_STATES)).splitlines()
    assert json.loads(state) == json.loads(_STATES["state_created"]) | {"pid": 1}
    status = dict(line.split(":\t") for line in lines)
    assert status["Uid"].split() == ["1000"] * 4
    assert (status["CapEff"], status["CapBnd"]) == ("0" * 16, "00000000a80425fb")


async def test_a_failing_hook_ends_the_start_and_is_quoted(bench: Bench) -> None:
    fine = Hook(_script(bench.directory / "fine", "exit 0"))
    loud = Hook(_script(bench.directory / "loud", "yes x | head -c 9000 >&2; echo the end >&2; exit 3"))
    with pytest.raises(StartFailed) as caught:
        await bench.start(make_task(bench, _spec(Hooks(create_container=[fine, loud])), **_STATES))
    message = caught.value.message
    assert message.startswith(f"error running createContainer hook #1: {loud.path}: exit status 3, stderr: ")
    assert message.endswith("x\nthe end")
    assert len(message) < 4400


@pytest.mark.parametrize(
    ("text", "timeout", "message"),
    [
        ("sleep 1000", 1, "hook ran past specified timeout of 1s"),
        ("kill -9 $$", None, "signal: Killed"),
    ],
)
async def test_hooks_that_do_not_end_well(bench: Bench, text: str, timeout: int | None, message: str) -> None:
    hook = Hook(_script(bench.directory / "hook", text), timeout=timeout)
    with pytest.raises(StartFailed, match=message):
        await bench.start(make_task(bench, _spec(Hooks(create_container=[hook])), **_STATES))


async def test_a_missing_hook(bench: Bench) -> None:
    with pytest.raises(StartFailed, match="/no/such/hook: exit status 127, stderr: exec: no such file or directory"):
        await bench.start(make_task(bench, _spec(Hooks(create_container=[Hook("/no/such/hook")])), **_STATES))


async def test_a_child_that_keeps_stderr_open_does_not_hold_the_start(bench: Bench) -> None:
    hook = Hook(_script(bench.directory / "hook", "sleep 5 & exit 0"))
    assert await output(bench, _spec(Hooks(create_container=[hook]), make_process("echo", "on")), **_STATES) == "on\n"


# --- Sync -------------------------------------------------------------------------------------------------


@contextmanager
def _interpreting(*steps: ops.AnyOp) -> Iterator[tuple[socket.socket, int, int]]:
    """A child that interprets; yields the other end of its sync socket, its error pipe, and its pid."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    error_read, error_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.close(error_read)
        context = InitContext(ops.LaunchPlan([*steps]), [], [], sync_fd=theirs.fileno())
        init.become(context, error_write)
    theirs.close()
    os.close(error_write)
    try:
        yield ours, error_read, pid
    finally:
        ours.close()
        os.close(error_read)
        os.waitpid(pid, 0)


_END = ops.Exec(["/bin/true"], [])


def test_sync_waits_for_the_word() -> None:
    with _interpreting(ops.Sync("prestart"), _END) as (sock, errors, pid):
        assert json.loads(sock.recv(100)) == {"point": "prestart", "pid": pid, "fd": -1}
        sock.send(b"1")
        assert os.read(errors, 1000) == b""


@pytest.mark.parametrize(("answer", "message"), [(b"0net is down", "net is down"), (b"", "the runtime went away")])
def test_sync_fails_with_the_answer(answer: bytes, message: str) -> None:
    with _interpreting(ops.Sync("prestart"), _END) as (sock, errors, _pid):
        sock.recv(100)
        if answer:
            sock.send(answer)
        else:
            sock.close()
        assert message in os.read(errors, 1000).decode()


def test_a_process_whose_launcher_died_does_not_become_its_program(tmp_path: Path) -> None:
    program = ops.Exec(["/usr/bin/touch", str(tmp_path / "ran")], [])
    with _interpreting(ops.Sync("created"), ops.Credentials(0, 0, 0), program) as (sock, errors, pid):
        sock.recv(100)
        # As if by the end of who reads it.
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, errors)
        os.close(null)
        sock.send(b"1")
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert ended is not None and ended.si_status == 1
    assert not (tmp_path / "ran").exists()


def test_the_listener_of_a_filter_is_handed_over() -> None:
    rules = LinuxSeccomp("SCMP_ACT_ALLOW", syscalls=[LinuxSyscall(["getppid"], "SCMP_ACT_NOTIFY")])
    program = compile_filter(rules)
    with _interpreting(ops.NoNewPrivs(), ops.Seccomp(program, 0, notify=True), _END) as (sock, errors, pid):
        told = json.loads(sock.recv(100))
        pidfd = os.pidfd_open(pid)
        listener = copy_fd(pidfd, told["fd"])
        assert told["point"] == "seccomp" and os.readlink(f"/proc/self/fd/{listener}") == "anon_inode:seccomp notify"
        sock.send(b"1")
        assert os.read(errors, 1000) == b""
        os.close(listener)
        os.close(pidfd)
