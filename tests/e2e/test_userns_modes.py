"""`--userns-remap` and the modes of containers: what is refused, what opts out, and who joins whom."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.remap import RemappedDaemon, user_namespace

pytestmark = pytest.mark.root

_SLEEP = ("busybox", "sleep", "600")


@pytest.fixture(scope="module")
def remapped(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[RemappedDaemon]:
    """A remapping engine with a container `donor`, whose namespaces may be joined, and `plain`, not remapped."""
    daemon = RemappedDaemon(tmp_path_factory.mktemp("modes"), number=9)
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        daemon.docker("run", "-d", "--name", "donor", "--ipc", "shareable", *_SLEEP)
        daemon.docker("run", "-d", "--name", "plain", "--userns", "host", "--ipc", "shareable", *_SLEEP)
        yield daemon
    finally:
        daemon.destroy()


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (
            ["--privileged"],
            "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace "
            "when running privileged mode",
        ),
        (["--network", "host"], "cannot share the host's network namespace when user namespaces are enabled"),
        (["--pid", "host"], "cannot share the host PID namespace when user namespaces are enabled"),
    ],
)
def test_the_host_s_users_are_needed_for_these(remapped: RemappedDaemon, flags: list[str], text: str) -> None:
    refused = remapped.docker("run", "--rm", *flags, "busybox", "true", check=False)
    assert refused.returncode == 125 and text in refused.stderr
    assert remapped.docker("run", "--rm", "--userns", "host", *flags, "busybox", "id", "-u").stdout == "0\n"


def test_a_container_can_opt_out(remapped: RemappedDaemon) -> None:
    assert remapped.sh("plain", "cat /proc/self/uid_map").split() == ["0", "0", "4294967295"]
    assert user_namespace(remapped.pid("plain")) == user_namespace(os.getpid())


@pytest.mark.parametrize("host_mode", [["--ipc", "host"], ["--uts", "host"], ["--ipc", "none"], ["--network", "none"]])
def test_other_modes_work_remapped(remapped: RemappedDaemon, host_mode: list[str]) -> None:
    result = remapped.docker("run", "--rm", *host_mode, "busybox", "sh", "-c", "id -u; stat -c %u /proc/self/; ls /sys")
    assert result.stdout.split()[:2] == ["0", "0"]


@pytest.mark.parametrize("kind", ["network", "ipc", "pid"])
def test_joining_means_the_same_users(remapped: RemappedDaemon, kind: str) -> None:
    script = (
        "readlink /proc/self/ns/user; stat -c %u /proc/self/; ls /sys/class/net | tail -1; touch /dev/shm/y && echo y"
    )
    joined = remapped.docker("run", "--rm", f"--{kind}", "container:donor", "busybox", "sh", "-c", script)
    assert joined.stdout.split() == [f"user:[{user_namespace(remapped.pid('donor'))}]", "0", "lo", "y"]


def test_all_can_be_joined_at_once(remapped: RemappedDaemon) -> None:
    flags = [word for kind in ("network", "ipc", "pid") for word in (f"--{kind}", "container:donor")]
    script = "for n in net ipc pid user; do readlink /proc/self/ns/$n; done; ps | grep -c 'sleep 60[0]'"
    inside = remapped.docker("run", "--rm", *flags, "busybox", "sh", "-c", script).stdout.split()
    pid = remapped.pid("donor")
    assert inside == [*(os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("net", "ipc", "pid", "user")), "1"]


@pytest.mark.parametrize("kind", ["network", "ipc", "pid"])
def test_remapped_and_not_do_not_mix(remapped: RemappedDaemon, kind: str) -> None:
    one = remapped.docker("run", "--rm", f"--{kind}", "container:plain", "busybox", "true", check=False)
    assert one.returncode == 125 and "its users are the host's and those of this container are remapped" in one.stderr
    flags = ["--userns", "host", f"--{kind}", "container:donor"]
    other = remapped.docker("run", "--rm", *flags, "busybox", "true", check=False)
    assert other.returncode == 125 and "its users are remapped and those of this container are not" in other.stderr
    both = remapped.docker("run", "--rm", "--userns", "host", f"--{kind}", "container:plain", "busybox", "id", "-u")
    assert both.stdout == "0\n"


def test_who_joined_can_be_joined_too(remapped: RemappedDaemon) -> None:
    remapped.docker("run", "-d", "--name", "guest", "--network", "container:donor", *_SLEEP)
    try:
        flags = ["--network", "container:donor", "--pid", "container:guest"]
        inside = remapped.docker("run", "--rm", *flags, "busybox", "readlink", "/proc/self/ns/user").stdout
        assert inside == f"user:[{user_namespace(remapped.pid('donor'))}]\n"
    finally:
        remapped.docker("rm", "-f", "guest")


def test_two_owners_cannot_be_joined(remapped: RemappedDaemon) -> None:
    remapped.docker("run", "-d", "--name", "second", *_SLEEP)
    try:
        flags = ["--network", "container:donor", "--pid", "container:second"]
        refused = remapped.docker("run", "--rm", *flags, "busybox", "true", check=False)
        assert refused.returncode == 125 and "each has a user namespace of its own" in refused.stderr
    finally:
        remapped.docker("rm", "-f", "second")
