"""A group that runs out of memory is heard of while it still lives."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from tests.support.rootfs import find_busybox

from windlass.cgroups.driver import make_driver
from windlass.cgroups.model import Cgroup
from windlass.launch.oom_watch import OomWatch
from windlass.launch.poller import Poller
from windlass.spec.resources import LinuxMemory, LinuxResources

pytestmark = [pytest.mark.root, pytest.mark.cgroups]

_LIMIT = 8 << 20


@pytest.fixture
def group() -> Iterator[Cgroup]:
    driver = make_driver()
    if not driver.host.has("memory"):
        pytest.skip("no memory controller on this host")
    limits = LinuxResources(memory=LinuxMemory(limit=_LIMIT, swap=_LIMIT))
    cgroup, _ = driver.create(f"windlass-tests-oom-{os.getpid()}", limits)
    yield cgroup
    cgroup.kill_all()
    cgroup.remove()


def _grow_too_fat(group: Cgroup) -> int:
    busybox = find_busybox()
    assert busybox is not None
    join = "; ".join(f"echo 0 > {file}" for file in group.join_files())
    return subprocess.run(["sh", "-c", f"{join}; exec {busybox} tail /dev/zero"], check=False).returncode


def test_every_time_is_told(group: Cgroup) -> None:
    poller = Poller()
    heard: list[int] = []
    watch = OomWatch(poller, group.oom_event_path(), lambda: heard.append(1))
    for count in (1, 2):
        assert _grow_too_fat(group) == -9
        for _ in range(20):
            if len(heard) == count:
                break
            poller.turn(1)
        assert len(heard) == count
    watch.close()
    assert _grow_too_fat(group) == -9
    poller.turn(0.05)
    assert len(heard) == 2


def test_what_happened_before_anybody_looked_is_told(group: Cgroup) -> None:
    assert _grow_too_fat(group) == -9
    heard: list[int] = []
    watch = OomWatch(Poller(), group.oom_event_path(), lambda: heard.append(1))
    assert heard == [1]
    watch.close()


def test_the_end_of_the_group_is_not_taken_for_one(group: Cgroup) -> None:
    poller = Poller()
    watch = OomWatch(poller, group.oom_event_path(), lambda: pytest.fail("there was none"))
    group.remove()
    poller.turn(0.1)
    poller.turn(0)
    watch.close()


@pytest.mark.parametrize("name", ["", "/memory.oom_control", "/memory.events"])
def test_a_group_that_is_not_there_is_not_watched(tmp_path: os.PathLike[str], name: str) -> None:
    poller = Poller()
    watch = OomWatch(poller, f"{tmp_path}{name}" if name else "", lambda: pytest.fail("nothing can happen"))
    poller.turn(0)
    watch.close()
