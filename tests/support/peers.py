"""Engines of others, private to a test, that run containers on `windlass-runtime`."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.oci_runtime import PROGRAM

IMAGE = "windlass.test/busybox:1"
# Hosts without CAP_SYS_RESOURCE cannot raise limits, and engines ask for more than they were given.
ULIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1000:1000")
_START_TIMEOUT_S = 30
_COMMAND_TIMEOUT_S = 60
_PAUSE_S = 0.05


def runtime_script(directory: Path) -> Path:
    """Write what `./windlass-runtime` comes to, with this run's interpreter; returns its path."""
    script = directory / "windlass-runtime"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    script.chmod(0o755)
    return script


class Peer:
    """An engine's command line."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)

    def __call__(self, *argv: str, status: int = 0, text: str | None = None) -> str:
        """Run one command, which ends with `status`; returns what it wrote on both streams."""
        done = subprocess.run(
            [*self.command, *argv],
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_TIMEOUT_S,
        )
        assert done.returncode == status, f"{argv}: {done.returncode}: {done.stdout}"
        return done.stdout


def require(program: str, package: str) -> str:
    """Return the path of a program, or skip."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: package {package})")
    return found


@contextmanager
def service(command: Sequence[str], socket: Path, log: Path) -> Iterator[None]:
    """Run a daemon of others until its socket is there and the test is over; only the process started here is ended."""
    with open(log, "wb") as output:
        process = subprocess.Popen(list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not socket.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(_PAUSE_S)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def remove_group(name: str) -> None:
    """Remove a control group that a peer left at the top of each hierarchy, once its last helper has ended."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    for hierarchy in ("", *os.listdir("/sys/fs/cgroup")):
        top = f"/sys/fs/cgroup/{hierarchy}/{name}"
        while os.path.isdir(top) and time.monotonic() < deadline:
            try:
                for path, _directories, _files in os.walk(top, topdown=False):
                    os.rmdir(path)
            except OSError:
                time.sleep(_PAUSE_S)


def group_file(pid: str, controller: str, file: str) -> str:
    """A file of the v1 control group that a process is in."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _number, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return Path(f"/sys/fs/cgroup/{controller}{path}/{file}").read_text().strip()
    raise AssertionError(f"process {pid} is in no {controller} group")
