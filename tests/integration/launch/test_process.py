"""One process from plan to exit: codes, streams, users, directories."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.support.launching import Bench, Connection

from windlass.linux.namespaces import CLONE_NEWNET
from windlass.runtime.task import StartFailed, TaskGone
from windlass.spec import plan as ops
from windlass.spec.task import LogPlan

pytestmark = pytest.mark.root


async def test_exit_code_and_record(bench: Bench) -> None:
    _, record = await bench.run(bench.plan("c", ["sh", "-c", "exit 3"]))
    assert record.exit_code == 3
    with open(f"{bench.launcher.task_directory('c')}/exit.json") as file:
        assert json.load(file)["exit_code"] == 3
    assert bench.exits == [record]
    assert record.started_at_ns < record.finished_at_ns


async def test_death_by_signal_is_128_plus_n(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    await task.kill(9)
    assert (await task.wait()).exit_code == 137


@pytest.mark.parametrize(
    ("args", "message", "code"),
    [
        (["nope"], 'exec: "nope": executable file not found in $PATH', 127),
        (["/bin/nope"], 'exec: "/bin/nope": stat /bin/nope: no such file or directory', 127),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied', 126),
        (["/etc"], 'exec: "/etc": is a directory', 126),
    ],
)
async def test_commands_that_cannot_run(bench: Bench, args: list[str], message: str, code: int) -> None:
    with pytest.raises(StartFailed) as caught:
        await bench.start(bench.plan("c", args))
    assert caught.value.message == message
    assert caught.value.exit_code == code


async def test_a_failed_step_is_named(bench: Bench) -> None:
    bad = ops.MountFs("nosuchfs", "/mnt")
    with pytest.raises(StartFailed, match=r"mount nosuchfs at /mnt: .* \(step \d+ of \d+\)"):
        await bench.start(bench.plan("c", ["true"], extra=[bad]))


async def test_namespaces_hostname_and_pid_one(bench: Bench) -> None:
    output, _ = await bench.run(
        bench.plan("c", ["sh", "-c", "hostname; echo $$; ls /sys/class/net 2>/dev/null; mount"])
    )
    lines = output.decode().splitlines()
    assert lines[:2] == ["c", "1"]
    assert "overlay on / type overlay" in output.decode()
    assert str(bench.directory) not in "\n".join(line for line in lines if not line.startswith("overlay"))


async def test_only_the_standard_streams_are_open(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["sh", "-c", "echo /proc/self/fd/*"]))
    assert {path.rsplit("/", 1)[1] for path in output.decode().split()} <= {"0", "1", "2", "3"}
    output, _ = await bench.run(bench.plan("d", ["sh", "-c", "for f in /proc/$$/fd/*; do echo $f; done"]))
    assert len([line for line in output.decode().split() if int(line.rsplit("/", 1)[1]) < 10]) <= 4


async def test_users_groups_and_home(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["sh", "-c", "id -u; id -g; id -G; echo $HOME"], user="bob"))
    assert output.decode().split("\n")[:4] == ["1000", "1000", "1000 10", "/home/bob"]
    output, _ = await bench.run(bench.plan("d", ["id", "-u"], user="4242:wheel"))
    assert output == b"4242\n"
    with pytest.raises(StartFailed, match="unable to find user nope: no matching entries in passwd file"):
        await bench.start(bench.plan("e", ["true"], user="nope"))
    with pytest.raises(StartFailed, match="unable to find group nope: no matching entries in group file"):
        await bench.start(bench.plan("f", ["true"], user="bob:nope"))


async def test_capabilities_are_exactly_the_plan(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["grep", "Cap", "/proc/self/status"]))
    values = dict(line.split(":\t") for line in output.decode().splitlines())
    assert values["CapEff"] == values["CapPrm"] == values["CapBnd"] == "00000000a80425fb"
    assert values["CapInh"] == values["CapAmb"] == "0" * 16
    output, _ = await bench.run(bench.plan("d", ["grep", "CapEff", "/proc/self/status"], user="bob"))
    assert output.split()[1] == b"0" * 16


async def test_signals_are_as_a_program_expects(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]))
    assert {line.split()[1] for line in output.decode().splitlines()} == {"0" * 16}


async def test_working_directory(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["pwd"], cwd="/tmp"))
    assert output == b"/tmp\n"
    with pytest.raises(StartFailed, match=r'chdir to cwd \("/no/such"\) set in config.json failed: no such file'):
        await bench.start(bench.plan("d", ["pwd"], cwd="/no/such"))


async def test_environment_without_assignments_is_dropped(bench: Bench) -> None:
    output, _ = await bench.run(bench.plan("c", ["env"], env=["PATH=/bin", "A=b=c", "NOVALUE", "E="]))
    lines = output.decode().splitlines()
    assert "A=b=c" in lines and "E=" in lines and "NOVALUE" not in lines


async def test_stdin_ends_with_the_client(bench: Bench) -> None:
    output, record = await bench.run(bench.plan("c", ["cat"], stdin=True), typed=b"x" * 300_000)
    assert output == b"x" * 300_000
    assert record.exit_code == 0


async def test_frames_tell_stdout_from_stderr(bench: Bench) -> None:
    with Connection(framed=True) as client:
        task = await bench.start(bench.plan("c", ["sh", "-c", "echo out; echo err >&2"]), client.attachment)
        client.handed_over()
        data = await client.read_all()
        await task.wait()
    assert b"\x01\0\0\0\0\0\0\x04out\n" in data
    assert b"\x02\0\0\0\0\0\0\x04err\n" in data
    assert len(data) == 24


async def test_terminal_has_name_size_and_detach_keys(bench: Bench) -> None:
    with Connection(stdin=True, detach_keys=b"\x10\x11") as client:
        plan = bench.plan("c", ["sh", "-c", "tty; stty size; read line; stty size; sleep 1000"], tty=True, stdin=True)
        task = await bench.start(plan, client.attachment)
        client.handed_over()
        assert b"/dev/pts/0\r\n24 80\r\n" in await client.read_until(b"24 80")
        await task.resize(50, 132)
        await client.type(b"\n")
        await client.read_until(b"50 132")
        await client.type(b"\x10")
        await client.type(b"\x11")
        await client.read_all()
        await asyncio.wait_for(bench.detached.wait(), 10)
        await task.kill(9)
        await task.wait()


async def test_log_lines_partial_lines_and_escapes(bench: Bench) -> None:
    script = r"""printf 'a "quoted" \\ line\n'; printf '\377\001\n'; printf 'no newline'; echo error >&2"""
    await bench.run(bench.plan("c", ["sh", "-c", script]))
    records = [json.loads(line) for line in bench.log_path("c").read_text().splitlines()]
    text = {stream: "".join(r["log"] for r in records if r["stream"] == stream) for stream in ("stdout", "stderr")}
    assert text["stdout"] == 'a "quoted" \\ line\n\ufffd\x01\nno newline'
    assert text["stderr"] == "error\n"
    assert all(record["time"].endswith("Z") and len(record["time"]) == 30 for record in records)


async def test_log_rotates_by_size(bench: Bench) -> None:
    log = LogPlan(path=str(bench.directory / "log"), max_size=20_000, max_file=3)
    await bench.run(
        bench.plan("c", ["sh", "-c", "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"], log=log)
    )
    files = sorted(path.name for path in bench.directory.glob("log*"))
    assert files == ["log", "log.1", "log.2"]
    last = (bench.directory / "log").read_text().splitlines()
    assert json.loads(last[-1])["log"] == "line 1999\n"
    older = (bench.directory / "log.1").read_text().splitlines()
    assert int(json.loads(older[-1])["log"].split()[1]) + 1 == int(json.loads(last[0])["log"].split()[1])


async def test_passed_network_namespace(bench: Bench) -> None:
    netns = await bench.launcher.new_netns()
    try:
        plan = bench.plan("c", ["readlink", "/proc/self/ns/net"], extra=[ops.SetNs(CLONE_NEWNET, fd=0)])
        with Connection() as client:
            task = await bench.launcher.launch(plan, bench.callbacks(), [client.attachment], netns_fd=netns.netns_fd)
            client.handed_over()
            output = await client.read_all()
            await task.wait()
        import os

        assert output.decode().strip() == f"net:[{os.fstat(netns.netns_fd).st_ino}]"
    finally:
        os.close(netns.netns_fd)
        netns.route_socket.close()


async def test_requests_after_the_end_say_so(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["true"]))
    await task.wait()
    with pytest.raises(TaskGone):
        while True:
            await task.kill(15)
