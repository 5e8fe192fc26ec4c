"""One data root with remapping on, off and with other ranges: nothing is copied or chowned, and all stays usable."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import python_command
from tests.support.remap import OTHER_RANGES, RANGES, RemappedDaemon

pytestmark = pytest.mark.root


@pytest.fixture
def engine(tmp_path: Path, image_tar: Path) -> Iterator[RemappedDaemon]:
    """A remapping engine that has the image `busybox`, to be started with other ranges."""
    daemon = RemappedDaemon(tmp_path, number=10)
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield daemon
    finally:
        daemon.destroy()


def _restart_with(engine: RemappedDaemon, ranges: str) -> None:
    engine.stop()
    engine.use(ranges)
    engine.start()


def test_data_outlive_every_change(engine: RemappedDaemon) -> None:
    script = (
        "for d in /v /made; do mkdir -p $d; n=$(ls $d | wc -l); echo x > $d/$n-root; echo x > $d/$n-bob;"
        " chown 1000:1000 $d/$n-bob; done; stat -c '%u:%g' /v/* /made/*; cat /proc/self/uid_map"
    )
    engine.docker("create", "--name", "kept", "-v", "vol:/v", "busybox", "sh", "-c", script)
    maps = []
    for turn, ranges in enumerate((RANGES, "", OTHER_RANGES, RANGES), 1):
        if turn > 1:
            _restart_with(engine, ranges)
        output = engine.docker("start", "-a", "kept").stdout.split()
        owners = [word for word in output if ":" in word]
        assert sorted(owners) == ["0:0"] * 2 * turn + ["1000:1000"] * 2 * turn
        maps.append(output[len(owners) :])
    assert maps[0] == maps[3] != maps[1]
    assert maps[1] == ["0", "0", "4294967295"]
    assert maps[2] == ["0", "3000000", "1000", "1000", "3100000", "64536"]
    owners_on_disk = {
        status.st_uid for path in engine.data_root.rglob("*") for status in [path.lstat()] if not path.is_socket()
    }
    assert owners_on_disk == {0, 1000}


def test_running_containers_stay_as_they_were_started(engine: RemappedDaemon) -> None:
    engine.docker("run", "-d", "--name", "old", "busybox", "sleep", "600")
    before = engine.sh("old", "cat /proc/self/uid_map")
    engine.kill()
    engine.use("")
    engine.start()
    assert engine.sh("old", "id -u; touch /x && stat -c %u /x; cat /proc/self/uid_map") == f"0\n0\n{before}"
    joined = engine.docker("run", "--rm", "--network", "container:old", "busybox", "true", check=False)
    assert "its users are remapped and those of this container are not" in joined.stderr
    engine.docker("run", "-d", "--name", "plain", "--privileged", "busybox", "sleep", "600")
    _restart_with(engine, OTHER_RANGES)
    assert engine.sh("old", "cat /proc/self/uid_map") == before
    assert engine.sh("plain", "cat /proc/self/uid_map").split() == ["0", "0", "4294967295"]
    for name in ("old", "plain"):
        engine.docker("stop", "-t", "0", name)
        assert engine.docker("inspect", "--format", "{{.State.Status}}", name).stdout == "exited\n"
    refused = engine.docker("start", "plain", check=False)
    assert "privileged mode is incompatible with user namespaces" in refused.stderr
    engine.docker("start", "old")
    assert engine.sh("old", "head -1 /proc/self/uid_map").split() == ["0", "3000000", "1000"]


@pytest.mark.parametrize(
    ("ranges", "flag", "text"),
    [
        (
            "somebody:100000:65536",
            "nobody:nogroup",
            'Can\'t create ID mappings: no subuid ranges found for user "nobody"',
        ),
        (RANGES, "no-such-user", 'Error during uid lookup for "no-such-user": user not found'),
        ("nobody:100000", "nobody:nogroup", "Format not correct for /etc/subuid file: line 1 is not NAME:FIRST:COUNT"),
    ],
)
def test_the_daemon_does_not_start_without_ids(tmp_path: Path, ranges: str, flag: str, text: str) -> None:
    daemon = RemappedDaemon(tmp_path, number=11, ranges=ranges)
    daemon.extra = [f"--userns-remap={flag}"]
    (tmp_path / "daemon.json").touch()
    result = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=30)
    assert result.returncode == 1 and text in result.stderr


def test_the_file_can_say_it_too(tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text('{"userns-remap": "nobody:nogroup"}')
    flags = ["windlassd", "--validate", "--config-file", str(tmp_path / "daemon.json")]
    result = subprocess.run(python_command("windlass.daemon.main", flags), capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stdout) == (0, "configuration OK\n")
