"""Launch plans of many flags. Each golden file has what a flag changes in the default plan, which is kept whole.

After an intended change: `WINDLASS_UPDATE_GOLDEN=1 pytest tests/golden/test_plans.py`, then read the difference.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

import pytest
from tests.support.plan_cases import load_cases, make_plan, plan_lines

_DIRECTORY = Path(__file__).parent / "plans"
_CASES = load_cases(_DIRECTORY / "cases.json")


@pytest.mark.parametrize("name", _CASES)
def test_plan(name: str) -> None:
    found = _text(name)
    golden = _DIRECTORY / f"{name}.txt"
    if os.environ.get("WINDLASS_UPDATE_GOLDEN"):
        golden.write_text(found)
    assert found == golden.read_text()


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in _DIRECTORY.glob("*.txt")} == set(_CASES)


def _text(name: str) -> str:
    lines = plan_lines(make_plan(_CASES[name]))
    if name == "default":
        return "\n".join(lines) + "\n"
    default = plan_lines(make_plan(_CASES["default"]))
    changes = [line for line in difflib.ndiff(default, lines) if line[:2] in ("+ ", "- ")]
    return "".join(f"{line}\n" for line in changes)
