"""./windlass with a prepared environment: what it executes, from where, and what a missing Python says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose environment is ready and whose python says how it was called."""
    place = tmp_path / "check out"
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / "tools").mkdir()
    for name in ("windlass", "tools/python.sh", "tools/environment.py", "requirements.lock"):
        shutil.copy2(ROOT / name, place / name)
    python = place / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    shutil.copy2(place / "requirements.lock", place / ".venv" / "installed.lock")
    return place


def _run(command: list[str | Path], **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], **environ}
    )


def test_words_reach_the_command_as_they_are(checkout: Path) -> None:
    done = _run([checkout / "windlass", "run", "a b", "", "*"])
    assert done.stdout.split("\n")[:-1] == ["-I", "-S", f"{checkout}/src/windlass/__main__.py", "run", "a b", "", "*"]


def test_symbolic_links_lead_to_the_checkout(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "direct").symlink_to(checkout / "windlass")
    (tmp_path / "bin" / "relative").symlink_to("direct")
    done = _run([tmp_path / "bin" / "relative", "ps"])
    assert done.stdout.splitlines()[2:] == [f"{checkout}/src/windlass/__main__.py", "ps"]


def test_the_fast_path_starts_no_other_program(checkout: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", checkout / "windlass", "ps"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/no/programs"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_cached_environment_serves_a_read_only_checkout(checkout: Path, tmp_path: Path) -> None:
    cached = Path(f"{tmp_path}/cache/windlass/venv{checkout}")
    cached.parent.mkdir(parents=True)
    (checkout / ".venv").rename(cached)
    done = _run([checkout / "windlass", "ps"], XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.stdout.splitlines()[-1] == "ps"


@pytest.mark.parametrize("mtime", [1, 4_000_000_000])
def test_a_changed_lock_leaves_the_fast_path(checkout: Path, mtime: int) -> None:
    os.utime(checkout / "requirements.lock", (mtime, mtime))
    done = subprocess.run(
        ["/bin/sh", checkout / "windlass", "ps"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/no/programs"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("windlass: needs Python 3.11 or newer and found none; ")
    assert done.stderr.endswith("apt-get install python3 python3-venv\n")


def test_an_old_python_is_named(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".venv" / "installed.lock").unlink()
    (tmp_path / "old").mkdir()
    old = tmp_path / "old" / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", checkout / "windlass"], capture_output=True, text=True, check=False, env={"PATH": str(old.parent)}
    )
    assert "needs Python 3.11 or newer and found Python 3.9.2" in done.stderr


def test_the_first_python_that_starts_is_taken(checkout: Path, tmp_path: Path) -> None:
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    script = f". {checkout.parent}/'check out'/tools/python.sh; find_python && echo $python"
    done = _run(
        ["/bin/sh", "-c", script], PYTHON=str(broken), PATH=f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin"
    )
    assert done.returncode == 0
    assert done.stdout.strip() not in ("", str(broken), "python3.13")
