"""Commands, timed as a whole: from just before the fork to the exit of the process."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

TIMEOUT_S = 300.0
_PIPE_BYTES = 1 << 20
_QUOTED_CHARACTERS = 400


class CommandError(Exception):
    """A command failed, hung or gave the wrong amount of output; the text says which, and has its last words."""

    def __init__(self, argv: Sequence[str], problem: str, stderr: str = "") -> None:
        said = stderr.strip()[-_QUOTED_CHARACTERS:]
        super().__init__(problem + (f": {said}" if said else ""))
        self.argv = tuple(argv)


def timed(argv: Sequence[str], env: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> float:
    """Run a command with no input and its output thrown away; return its wall time in seconds.

    Raises:
        CommandError: its status is not 0, or it takes longer than `timeout_s`.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = _spawn(argv, env, subprocess.DEVNULL, errors)
        ended_in_time = _wait(process, timeout_s)
        elapsed_s = time.perf_counter() - started
        _check(argv, process, ended_in_time, errors)
    return elapsed_s


def output(argv: Sequence[str], env: Mapping[str, str], timeout_s: float = TIMEOUT_S) -> str:
    """Run a command and return what it wrote to its standard output, without white space around it.

    Raises:
        CommandError: as for `timed`.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as text:
        process = _spawn(argv, env, text, errors)
        _check(argv, process, _wait(process, timeout_s), errors)
        text.seek(0)
        return text.read().decode(errors="replace").strip()


def timed_reading(argv: Sequence[str], env: Mapping[str, str], expected_bytes: int) -> float:
    """Run a command, read all of its standard output through a pipe, and return the wall time in seconds.

    Raises:
        CommandError: as for `timed`, or when it wrote more or less than `expected_bytes`.
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = _spawn(argv, env, subprocess.PIPE, errors)
        try:
            count, ended_in_time = _drain(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        # A process that is not read any more is given no time to end.
        ended_in_time = _wait(process, TIMEOUT_S if ended_in_time else 0) and ended_in_time
        elapsed_s = time.perf_counter() - started
        _check(argv, process, ended_in_time, errors)
    if count != expected_bytes:
        raise CommandError(argv, f"wrote {count} bytes instead of {expected_bytes}")
    return elapsed_s


def _spawn(
    argv: Sequence[str], env: Mapping[str, str], stdout: int | IO[bytes], stderr: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start `argv` in a session of its own: a Ctrl-C at the terminal is for the benchmark, which then tears down."""
    return subprocess.Popen(
        argv, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True
    )


def _wait(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Wait for the end of a process; False when it was killed because that took too long.

    `Popen.wait(timeout)` looks again only every 50 ms, which would be the resolution of the benchmark.
    """
    pidfd = os.pidfd_open(process.pid)
    try:
        ended = bool(_poll(pidfd, timeout_s))
    finally:
        os.close(pidfd)
        if process.poll() is None:
            process.kill()
        process.wait()
    return ended


def _drain(process: subprocess.Popen[bytes]) -> tuple[int, bool]:
    """Read the output of a process; return the count of bytes, and whether it ended before `TIMEOUT_S` of silence."""
    assert process.stdout is not None
    count = 0
    buffer = bytearray(_PIPE_BYTES)
    with process.stdout:
        fd = process.stdout.fileno()
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        while _poll(fd, TIMEOUT_S):
            size = os.readv(fd, [buffer])
            if size == 0:
                return count, True
            count += size
    return count, False


def _poll(fd: int, timeout_s: float) -> bool:
    """Wait until `fd` can be read; False when it could not in `timeout_s`."""
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def _check(argv: Sequence[str], process: subprocess.Popen[bytes], ended_in_time: bool, errors: IO[bytes]) -> None:
    """Raise `CommandError` unless the process ended by itself with status 0."""
    if ended_in_time and process.returncode == 0:
        return
    errors.seek(0)
    problem = f"exit status {process.returncode}" if ended_in_time else "took too long and was killed"
    raise CommandError(argv, problem, errors.read().decode(errors="replace"))
