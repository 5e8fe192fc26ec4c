"""Design law 2: after pivot_root nothing is imported; the image would supply the code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.support.entries import Entry, Refused
from tests.support.launching import Bench
from tests.support.oci_runtime import OciRuntime, write_bundle

from windlass.runtime.task import StartFailed
from windlass.spec import plan as ops

pytestmark = pytest.mark.root

_TRAP = "import os\nos.write(1, b'image code ran')\n"
_NAMES = "encodings traceback linecache codecs pwd grp sitecustomize usercustomize locale json re socket errno windlass"


def _poison(root: Path) -> None:
    """Put traps where the interpreter would look for modules."""
    entries = {entry for entry in sys.path if entry.startswith("/")} | {"/", "/usr/lib/python3", "/usr/lib/python3.11"}
    for entry in entries:
        directory = root / entry.strip("/")
        if directory.exists() and not directory.is_dir():
            continue
        directory.mkdir(parents=True, exist_ok=True)
        for name in _NAMES.split():
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
        (
            ops.Sysctl([("no.such", "1")]),
            ops.Chdir("/no/such/dir"),
            ops.Hostname("x" * 100),
            ops.SetNs(0, path="/nope"),
            ops.RunHooks("startContainer", [ops.HookCommand("/no/such")], "{}"),
            ops.Labels(apparmor="nope"),
            ops.SchedulerPolicy(77),
            ops.MemoryPolicy(77),
        )
    ):
        with pytest.raises(StartFailed) as caught:
            await poisoned.start(poisoned.plan(f"c{number}", ["true"], last=[step]))
        assert "image code ran" not in caught.value.message


async def test_no_code_of_the_image_runs_in_an_init_that_stays(poisoned: Bench) -> None:
    """It lives as long as the container: passing signals on, reaping, ending."""
    plan = poisoned.plan("c", ["sh", "-c", "trap 'echo caught' USR1; (exit 3) & kill -USR1 1; sleep 0.1; exit 7"])
    plan.launch.ops.insert(-1, ops.BecomeInit())
    output, record = await poisoned.run(plan)
    assert (output, record.exit_code) == (b"caught\n", 7)


async def test_every_entry(entry: Entry) -> None:
    _poison(entry.root)
    assert await entry.output(["echo", "ok"]) == "ok\n"
    for program, cwd in (("/no/such/program", "/"), ("echo", "/etc/passwd/x")):
        try:
            assert "image code ran" not in await entry.output([program], cwd=cwd)
        except Refused as refused:
            assert "image code ran" not in str(refused)


def test_hooks_inside(bench: Bench, tmp_path: Path) -> None:
    """The hook that the container's own files are asked for: found or not, only it runs."""
    shutil.copytree(bench.lower, tmp_path / "rootfs", symlinks=True)
    _poison(tmp_path / "rootfs")
    runtime = OciRuntime(tmp_path)
    for path, code in (("/bin/true", 0), ("/no/such", 1), ("/bin/false", 1)):
        hook = {"path": path, "args": [path], "timeout": 5}
        result = runtime.run(write_bundle(tmp_path, ["echo", "ok"], hooks={"startContainer": [hook]}))
        assert (result.returncode, "image code ran" in result.stdout + result.stderr) == (code, False)
