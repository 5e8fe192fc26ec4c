"""`windlass-runtime` on bundles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.rootfs import make_busybox_root

pytestmark = pytest.mark.root


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    make_busybox_root(tmp_path / "rootfs")
    assert runtime("spec", "--bundle", str(tmp_path)).returncode == 0
    return tmp_path


def runtime(*argv: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    command = [sys.executable, "-m", "windlass.runtime.main", *argv]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, **kwargs)  # type: ignore[call-overload, no-any-return]


def edit(bundle: Path, **changes: object) -> None:
    path = bundle / "config.json"
    config = json.loads(path.read_text())
    for key, value in changes.items():
        section, _, member = key.partition("__")
        if member:
            config[section][member] = value
        else:
            config[section] = value
    path.write_text(json.dumps(config))


def test_run_isolates_and_returns_the_exit_code(bundle: Path) -> None:
    edit(bundle, process__args=["sh", "-c", "hostname; echo $$; grep CapEff /proc/self/status; exit 7"])
    result = runtime("run", "--bundle", str(bundle), "demo")
    assert result.returncode == 7
    assert result.stdout.split() == ["windlass", "1", "CapEff:", "0000000020000420"]


def test_run_twice_leaves_nothing_in_the_way(bundle: Path) -> None:
    edit(bundle, process__args=["true"])
    for _ in range(2):
        assert runtime("run", "-b", str(bundle), "demo").returncode == 0


def test_pid_file_and_read_only_root(bundle: Path, tmp_path: Path) -> None:
    edit(bundle, process__args=["sh", "-c", "echo x > /file"])
    result = runtime("run", "--bundle", str(bundle), "--pid-file", str(tmp_path / "pid"), "demo")
    assert result.returncode == 1 and "Read-only file system" in result.stderr
    assert (tmp_path / "pid").read_text().isdecimal()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"process__args": ["nope"]}, 'exec: "nope": executable file not found in $PATH'),
        ({"process__args": []}, "/process/args: must not be empty"),
        ({"process__terminal": True}, "needs a console"),
        ({"hooks": {"prestart": [{"path": "/bin/true"}]}}, "hooks are not supported"),
        ({"linux__namespaces": [{"type": "pid"}]}, "mount namespace"),
        ({"root__path": "nowhere"}, "is not a directory"),
        ({"root": None}, "config.json"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(bundle: Path, changes: dict[str, object], message: str) -> None:
    edit(bundle, **changes)
    result = runtime("run", "--bundle", str(bundle), "demo")
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b"])
def test_ids_are_one_clean_component(bundle: Path, name: str) -> None:
    result = runtime("run", "--bundle", str(bundle), name)
    assert result.returncode == 1 and "invalid container id format" in result.stderr


def test_spec_does_not_overwrite_and_features_is_json(bundle: Path) -> None:
    assert "exists; remove it first" in runtime("spec", "--bundle", str(bundle)).stderr
    assert "mount" in json.loads(runtime("features").stdout)["linux"]["namespaces"]
    assert runtime("--version").stdout.startswith("windlass-runtime version ")
    assert 'unknown command "nope"' in runtime("nope").stderr
