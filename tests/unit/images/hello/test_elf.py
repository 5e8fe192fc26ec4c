"""The emitted program: run here where the machine is ours, compared byte by byte where it is not."""

from __future__ import annotations

import fcntl
import os
import platform
import struct
import subprocess
from pathlib import Path

import pytest

from windlass.images.hello import elf

MACHINES = ["x86_64", "aarch64"]

runnable_here = pytest.mark.skipif(platform.machine() not in MACHINES, reason="no code for this machine")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(elf.emit(platform.machine(), b"said\n" * 13000))
    path.chmod(0o755)
    return path


@runnable_here
def test_writes_the_whole_message_and_exits_0(program: Path) -> None:
    done = subprocess.run([program], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"said\n" * 13000)


@runnable_here
def test_goes_on_after_short_writes(program: Path) -> None:
    reader, writer = os.pipe()
    # A pipe of one page, never empty enough for the whole message at once.
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(reader, True)
    process = subprocess.Popen([program], stdout=writer)
    os.close(writer)
    with open(reader, "rb") as stream:
        assert stream.read() == b"said\n" * 13000
    assert process.wait() == 0


@runnable_here
def test_exits_1_where_it_cannot_write(program: Path) -> None:
    with open("/dev/full", "wb") as full:
        assert subprocess.run([program], stdout=full, check=False).returncode == 1


@pytest.mark.parametrize("machine", MACHINES)
def test_the_segment_is_not_writable_and_the_stack_not_executable(machine: str) -> None:
    image = elf.emit(machine, b"x")
    headers = [struct.unpack_from("<II", image, 64 + 56 * index) for index in range(2)]
    assert headers == [(1, 5), (0x6474E551, 6)]


@pytest.mark.parametrize(
    ("machine", "code"),
    [
        (
            "x86_64",
            "488d352c000000ba03000000b801000000bf010000000f0585c07e0b4801c629c275e931ffeb05bf01000000b83c0000000f05",
        ),
        (
            "aarch64",
            "e1010010620080d2200080d2080880d2010000d41f0000f1cd0000542100008b420000eb"
            "21ffff54000080d202000014200080d2a80b80d2010000d4",
        ),
    ],
)
def test_code_is_as_it_was_checked_by_disassembly_and_emulation(machine: str, code: str) -> None:
    assert elf.emit(machine, b"hi\n")[176:].hex() == code + b"hi\n".hex()


@pytest.mark.parametrize("message", [b"", b"x" * (elf.MESSAGE_LIMIT_BYTES + 1)])
def test_refuses_a_message_that_does_not_fit(message: bytes) -> None:
    with pytest.raises(ValueError, match="message of"):
        elf.emit("x86_64", message)


def test_refuses_an_unknown_machine() -> None:
    with pytest.raises(ValueError, match="no code for machine 'vax'"):
        elf.emit("vax", b"x")
