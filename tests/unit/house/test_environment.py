"""tools/environment.py: when an environment is current, how it is stamped, and how it is put on the path."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import sys
import urllib.error
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def environment() -> ModuleType:
    specification = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("thing==1 --hash=sha256:0\n")
    return path


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A directory with what is looked at: an executable python."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path / "venv"


def test_a_stamped_environment_is_current_and_shares_the_locks_time(
    environment: ModuleType, lock: Path, venv: Path
) -> None:
    environment.stamp(str(lock), str(venv))
    assert environment.is_current(str(lock), str(venv))
    assert (venv / environment.STAMP).stat().st_mtime_ns == lock.stat().st_mtime_ns


def test_an_unstamped_environment_is_not_current(environment: ModuleType, lock: Path, venv: Path) -> None:
    assert not environment.is_current(str(lock), str(venv))


def test_a_changed_lock_is_noticed_whatever_its_time(environment: ModuleType, lock: Path, venv: Path) -> None:
    environment.stamp(str(lock), str(venv))
    lock.write_text("thing==2 --hash=sha256:0\n")
    os.utime(lock, (1, 1))
    assert not environment.is_current(str(lock), str(venv))


def test_a_lock_that_was_only_touched_renews_the_stamp(environment: ModuleType, lock: Path, venv: Path) -> None:
    environment.stamp(str(lock), str(venv))
    os.utime(lock, (1, 1))
    assert environment.is_current(str(lock), str(venv))
    assert (venv / environment.STAMP).stat().st_mtime == 1


def test_an_environment_whose_python_is_gone_is_not_current(environment: ModuleType, lock: Path, venv: Path) -> None:
    environment.stamp(str(lock), str(venv))
    (venv / "bin" / "python").unlink()
    (venv / "bin" / "python").symlink_to("/no/such/python")
    assert not environment.is_current(str(lock), str(venv))


def test_a_pip_with_another_digest_is_refused(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"not pip"))
    with pytest.raises(environment.PreparationError, match="wrong digest"):
        environment.download_pip(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_pip_with_the_pinned_digest_is_kept(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "PIP_SHA256", hashlib.sha256(b"pip").hexdigest())
    monkeypatch.setattr(environment.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"pip"))
    assert Path(environment.download_pip(str(tmp_path))).read_bytes() == b"pip"


def test_no_network_for_pip_names_the_package(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(environment.urllib.request, "urlopen", unreachable)
    with pytest.raises(environment.PreparationError, match="apt-get install python3-venv"):
        environment.download_pip(str(tmp_path))
