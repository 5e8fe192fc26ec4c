"""The help of every command, as recorded; `python -m tests.golden.test_cli_help` records it anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from windlass.cli import help as help_module
from windlass.cli.commands import GROUPS, VERBS
from windlass.cli.help import help_text
from windlass.cli.main import GLOBAL_FLAGS

DIRECTORY = Path(__file__).parent / "cli" / "help"
# These hand `--help` over to another program.
PATHS = ["", *GROUPS, *(path for path in VERBS if path not in ("daemon", "runtime", "doctor"))]


def record_of(path: str) -> Path:
    return DIRECTORY / f"{path.replace(' ', '_') or 'windlass'}.txt"


@pytest.mark.parametrize("path", PATHS)
def test_help(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_module, "_columns", lambda: help_module.DEFAULT_COLUMNS)
    assert help_text(path, f"windlass {path}".rstrip(), GLOBAL_FLAGS) == record_of(path).read_text(encoding="utf-8")


def test_nothing_else_is_recorded() -> None:
    assert {file.name for file in DIRECTORY.iterdir()} == {record_of(path).name for path in PATHS}


if __name__ == "__main__":
    assert not os.isatty(1), "send the output to a file or pipe: a terminal has a width of its own"
    DIRECTORY.mkdir(exist_ok=True)
    for recorded in PATHS:
        record_of(recorded).write_text(
            help_text(recorded, f"windlass {recorded}".rstrip(), GLOBAL_FLAGS), encoding="utf-8"
        )
