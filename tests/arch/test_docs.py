"""The documents speak of what exists: commands, files, scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from windlass.cli.commands import GROUPS, VERBS, resolve

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")),
             *sorted((ROOT / "contrib").rglob("*.md"))]  # fmt: skip
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

_CODE = re.compile(r"^    (?P<block>\S.*)$|`(?P<span>[^`\n]+)`", re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[ /])windlass((?: [a-z]+)+)")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def _code(text: str) -> list[str]:
    return [match["block"] or match["span"] for match in _CODE.finditer(text)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_exist(path: Path) -> None:
    for piece in _code(path.read_text(encoding="utf-8")):
        for words in _COMMAND.findall(piece):
            canonical, _, _ = resolve(words.split())
            assert canonical in VERBS or canonical in GROUPS, piece


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(path: Path) -> None:
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def _readme_commands() -> list[str]:
    blocks = re.findall(r"^    (\S.*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return blocks[:2]


def test_the_readme_starts_with_the_two_commands() -> None:
    assert _readme_commands() == ["sudo ./windlass run --rm windlass/hello", "./check"]


def test_ci_calls_the_second_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    # What comes before may fail.
    assert commands == ["tools/machine/provide || true", f"exec {_readme_commands()[1]}"]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (ROOT / "docs" / "adr").glob("*.md"):
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. ")
