"""What every test folder has: skips that say why, and a watch over what tests leave on the host."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.leaks import HostState, leaks

# The folders whose tests touch the host.
WATCHED = {"integration", "security", "e2e", "machine"}


# What a marker asks of the host: how to find out, and what to say where it is not there.
NEEDS = {
    "root": (lambda: os.geteuid() == 0, "needs root"),
    "cgroup2": (
        lambda: os.path.exists("/sys/fs/cgroup/cgroup.controllers"),
        "needs cgroup v2 alone (see tests/machine)",
    ),
    "systemd": (lambda: os.path.isdir("/run/systemd/system"), "needs systemd as process 1 (see tests/machine)"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs something that this host does not have."""
    for name, (is_here, reason) in NEEDS.items():
        if is_here():
            continue
        for item in items:
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory below which every temporary file of this run lies."""
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="session", autouse=True)
def nothing_left_by_session(request: pytest.FixtureRequest, run_directory: Path) -> Iterator[None]:
    """Fail at the end of the run if mounts, links, tables, control groups or processes of ours are left."""
    if not any(_is_watched(item) for item in request.session.items):
        yield
        return
    before = HostState.read(run_directory)
    yield
    left = leaks(before, run_directory, shared_engine=False)
    assert not left, "left on the host by the tests:\n" + "\n".join(left)


@pytest.fixture(autouse=True)
def nothing_left_by_test(request: pytest.FixtureRequest, run_directory: Path) -> Iterator[None]:
    """Fail after a test that leaves a container's mounts, links, control groups or processes on the host."""
    if not _is_watched(request.node):
        yield
        return
    before = HostState.read(run_directory)
    yield
    left = leaks(before, run_directory, shared_engine=True)
    assert not left, "left on the host by this test:\n" + "\n".join(left)


def _is_watched(item: pytest.Item) -> bool:
    return item.path.relative_to(Path(__file__).parent).parts[0] in WATCHED
