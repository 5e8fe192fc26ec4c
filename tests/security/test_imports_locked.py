"""Design law 2: after pivot_root nothing is imported; the image would supply the code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.support.launching import Bench

from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops

pytestmark = pytest.mark.root

_TRAP = "import os\nos.write(1, b'image code ran')\n"


def _poison(root: Path) -> None:
    """Put traps where the interpreter would look for modules."""
    entries = {entry for entry in sys.path if entry.startswith("/")} | {"/", "/usr/lib/python3", "/usr/lib/python3.11"}
    for entry in entries:
        directory = root / entry.strip("/")
        if directory.exists() and not directory.is_dir():
            continue
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("encodings", "traceback", "linecache", "codecs", "pwd", "grp", "sitecustomize", "locale"):
            (directory / f"{name}.py").write_text(_TRAP)


@pytest.fixture
def poisoned(bench: Bench, tmp_path: Path) -> Bench:
    root = tmp_path / "poisoned"
    shutil.copytree(bench.lower, root, symlinks=True)
    _poison(root)
    bench.lower = root
    return bench


async def test_no_code_of_the_image_runs_in_init(poisoned: Bench) -> None:
    output, record = await poisoned.run(poisoned.plan("c", ["echo", "ok"], user="bob"))
    assert (output, record.exit_code) == (b"ok\n", 0)


async def test_no_code_of_the_image_runs_when_a_step_fails_after_the_pivot(poisoned: Bench) -> None:
    for number, step in enumerate(
        (ops.Sysctl([("no.such", "1")]), ops.Chdir("/no/such/dir"), ops.Hostname("x" * 100), ops.SetNs(0, path="/nope"))
    ):
        with pytest.raises(StartFailed) as caught:
            await poisoned.start(poisoned.plan(f"c{number}", ["true"], last=[step]))
        assert "image code ran" not in caught.value.message
