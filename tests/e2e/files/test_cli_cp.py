"""What our own `cp` does beyond the stock one: several sources, patterns, from container to container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def pair(engine: PrivateDaemon) -> Iterator[tuple[str, str]]:
    """A running container with files, and one that never ran."""
    script = (
        "mkdir -p /d/sub; echo a > /d/a.conf; echo b > /d/b.conf; echo h > /d/.c.conf; echo s > /d/sub/s;"
        " ln /d/a.conf /d/sub/hard; ln -s a.conf /d/l; touch /ok; sleep 1000"
    )
    engine.docker("run", "-d", "--name", "from", "busybox", "sh", "-c", script)
    engine.docker("exec", "from", "sh", "-c", "until [ -e /ok ]; do sleep 0.02; done")
    engine.docker("create", "--name", "to", "busybox", "sleep", "1000")
    yield "from", "to"
    engine.docker("rm", "-f", "from", "to")


def test_patterns_and_several_sources_go_into_a_directory(
    engine: PrivateDaemon, pair: tuple[str, str], tmp_path: Path
) -> None:
    engine.windlass("cp", "from:/d/*.conf", "from:/*/sub", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.conf", "b.conf", "sub"]
    assert (tmp_path / "sub" / "s").read_text() == "s\n"
    (tmp_path / "one").write_text("1")
    engine.windlass("cp", str(tmp_path / "one"), str(tmp_path / "sub"), "to:/tmp")
    engine.windlass("cp", "to:/tmp/.", str(tmp_path / "back"))
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == ["one", "sub"]


def test_what_does_not_fit_is_refused(engine: PrivateDaemon, pair: tuple[str, str], tmp_path: Path) -> None:
    for arguments, message in (
        (("from:/d/*.conf", str(tmp_path / "absent")), "must be a directory"),
        (("from:/d/*.none", str(tmp_path)), "Could not find the file /d/*.none in container from"),
        (("from:/d/a.conf", "from:/d/b.conf", "to:/etc/passwd"), "must be a directory"),
        (("from:/d", "to:/etc/passwd"), "cannot copy directory"),
        ((str(tmp_path), str(tmp_path)), "must specify at least one container source"),
    ):
        result = engine.windlass("cp", *arguments, check=False)
        assert result.returncode == 1 and message in result.stderr, arguments


def test_from_container_to_container(engine: PrivateDaemon, pair: tuple[str, str]) -> None:
    engine.windlass("cp", "from:/d", "to:/same")
    engine.windlass("cp", "from:/d/a.conf", "to:/root/renamed")
    engine.windlass("cp", "from:/d/.", "to:/root")
    engine.windlass("cp", "-L", "from:/d/l", "to:/var")
    engine.windlass("cp", "from:/d/*.conf", "to:/same/sub")
    engine.docker("start", "to")
    try:
        script = "cat /same/sub/s /root/renamed /root/sub/s /var/l; ls /same/sub; [ /same/a.conf -ef /same/sub/hard ]"
        found = engine.docker("exec", "to", "sh", "-c", script).stdout
    finally:
        engine.docker("kill", "to")
    assert found == "s\na\ns\na\na.conf\nb.conf\nhard\ns\n"


def test_kinds_of_paths_a_pattern_meets(engine: PrivateDaemon, pair: tuple[str, str]) -> None:
    def paths(pattern: str) -> str:
        return engine.get(f"/v1.50/windlass/containers/from/paths?path={pattern}").partition(b"\r\n\r\n")[2].decode()

    assert paths("/d/[ab].conf") == '["/d/a.conf","/d/b.conf"]'
    assert paths("/d/.*") == '["/d/.c.conf"]'
    assert paths("/p*/*") == "[]"
    assert paths("/d/../../*/s%3Fb") == '["/d/sub"]'
