"""The lock files: every pin has a hash, and they pin what the project declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def _pins(name: str) -> dict[str, str]:
    """Each pinned project with the text of its entry."""
    joined = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return {re.split(r"==", entry, maxsplit=1)[0].strip(): entry for entry in entries}


def _declared(extra: str | None) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return {re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0] for requirement in wanted}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_is_exact_and_has_a_hash(name: str) -> None:
    for project, entry in _pins(name).items():
        assert re.match(r"[A-Za-z0-9._-]+==[^\s;]+", entry), project
        assert "--hash=sha256:" in entry, project


def test_the_runtime_lock_pins_what_the_project_declares() -> None:
    assert _declared(None) <= set(_pins("requirements.lock"))


def test_the_development_lock_adds_the_tools_to_the_same_pins() -> None:
    runtime, development = _pins("requirements.lock"), _pins("requirements-dev.lock")
    assert _declared("dev") <= set(development)
    version = re.compile(r"==([^\s;]+)")
    for project, entry in runtime.items():
        assert version.findall(entry)[:1] == version.findall(development[project])[:1], project
