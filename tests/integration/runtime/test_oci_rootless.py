"""`windlass-runtime` by an ordinary user, with a user namespace of one id and no control group."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.oci_runtime import PROGRAM
from tests.support.rootfs import make_busybox_root

pytestmark = pytest.mark.root

_USER = 64_321


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory of the user's, with a bundle; pytest's own are root's alone."""
    directory = Path(tempfile.mkdtemp(prefix="windlass-rootless-"))
    make_busybox_root(directory / "rootfs")
    for path in (directory, *directory.rglob("*")):
        os.chown(path, _USER, _USER, follow_symlinks=False)
    yield directory
    shutil.rmtree(directory)


def program() -> list[str]:
    """The command by an interpreter that the user can run."""
    own = [*PROGRAM]
    for interpreter in (sys.executable, "/usr/bin/python3"):
        tried = (
            subprocess.run(
                [
                    interpreter,
                    "-I",
                    "-S",
                    "-c",
                    f"import sys; open({PROGRAM[3]!r}); sys.exit(sys.version_info < (3, 11))",
                ],
                user=_USER,
                group=_USER,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            if os.path.exists(interpreter) and _is_in_reach(interpreter)
            else None
        )
        if tried is not None and tried.returncode == 0:
            own[0] = interpreter
            return own
    pytest.skip("no Python 3.11 that an ordinary user can run together with this checkout")


def _is_in_reach(path: str) -> bool:
    """Whether everybody may go through every directory above a program."""
    return all(os.stat(parent).st_mode & 0o001 for parent in Path(os.path.realpath(path)).parents)


def test_run_exec_and_delete(home: Path) -> None:
    command = program()

    def runtime(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            [*command, "--root", str(home / "state"), *argv],
            user=_USER,
            group=_USER,
            extra_groups=[],
            cwd=home,
            text=True,
            timeout=30,
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    assert runtime("spec", "--rootless").returncode == 0
    path = home / "config.json"
    config = json.loads(path.read_text())
    config["process"].update(
        terminal=False, args=["sh", "-c", "id -u; cat /proc/self/uid_map; grep CapEff /proc/self/status"]
    )
    path.write_text(json.dumps(config))
    done = runtime("run", "c")
    assert done.stderr == ""
    assert (done.returncode, done.stdout.split()) == (0, ["0", "0", str(_USER), "1", "CapEff:", "0000000020000420"])
    config["process"]["args"] = ["sleep", "1000"]
    path.write_text(json.dumps(config))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    assert runtime("run", "-d", "c", **quiet).returncode == 0
    try:
        assert runtime("exec", "c", "sh", "-c", "id -u; exit 3").stdout == "0\n"
        assert runtime("pause", "c").stderr == "the container has no control group\n"
    finally:
        assert runtime("delete", "--force", "c").returncode == 0
    config["linux"]["resources"] = {"pids": {"limit": 10}}
    path.write_text(json.dumps(config))
    assert "permission denied" in runtime("run", "c").stderr.lower()
    assert os.listdir(home / "state") == []
