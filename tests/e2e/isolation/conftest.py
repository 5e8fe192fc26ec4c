"""Containers looked at from inside, by the stock client; one engine for the whole folder."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

Inside = Callable[..., list[str]]
CGROUPS = "/sys/fs/cgroup"


def flags_id(value: object) -> str | None:
    """Name a parameter that is a list of flags; others as ever."""
    return " ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else None


@pytest.fixture(scope="session")
def cgroup_version(engine: PrivateDaemon) -> int:
    """The version that the engine found."""
    return int(engine.docker("info", "--format", "{{.CgroupVersion}}").stdout)


@pytest.fixture(scope="session")
def inside(engine: PrivateDaemon) -> Inside:
    """Run a shell script in a new container with these flags; returns its lines."""

    def run(*flags: str, script: str) -> list[str]:
        return engine.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout.splitlines()

    return run


@pytest.fixture(scope="session")
def control_files(inside: Inside) -> set[str]:
    """The control files that a container has on this host, below the mount point: `memory/memory.limit_in_bytes`."""
    return {line.removeprefix("./") for line in inside(script=f"cd {CGROUPS}; find . -type f -maxdepth 2")}


@pytest.fixture(scope="session")
def refused(engine: PrivateDaemon) -> Callable[..., str]:
    """Try to run a container with these flags; returns the engine's or the client's words."""

    def run(*flags: str, command: tuple[str, ...] = ("true",)) -> str:
        result = engine.docker("run", "--rm", *flags, "busybox", *command, check=False)
        # The client makes 126 and 127 of some words.
        assert result.returncode in (125, 126, 127), result.stdout + result.stderr
        return result.stderr.split("\n\n")[0].removeprefix("docker: ")

    return run


def resident(engine: PrivateDaemon, name: str, *flags: str) -> Iterator[str]:
    """Have a container run for a while; yields its name."""
    engine.docker("run", "-d", "--name", name, *flags, "busybox", "sleep", "1000")
    yield name
    engine.docker("rm", "-f", name)


@pytest.fixture(scope="session")
def loop_device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A block device of our own whose scheduler has weights; skips where the host has no loop devices."""
    image = tmp_path_factory.mktemp("loop") / "disk"
    image.write_bytes(bytes(1 << 20))
    made = subprocess.run(["losetup", "--find", "--show", str(image)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no loop device on this host: {made.stderr.strip()}")
    path = made.stdout.strip()
    scheduler = Path(f"/sys/block/{Path(path).name}/queue/scheduler")
    before = scheduler.read_text().partition("[")[2].partition("]")[0]
    try:
        if "bfq" in scheduler.read_text():
            scheduler.write_text("bfq")
        yield path
    finally:
        scheduler.write_text(before)
        subprocess.run(["losetup", "--detach", path], check=True)
