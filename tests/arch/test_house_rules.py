"""Rules of the house that no other tool checks, read off the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "windlass"
FORBIDDEN_FILES = {"utils", "helpers", "common", "misc", "util", "helper"}
PROTOCOL_METHODS = 12
NURSERY = "base/nursery.py"
TASK_STARTERS = {
    "asyncio.create_task",
    "asyncio.ensure_future",
    "loop.create_task",
    "asyncio.get_running_loop().create_task",
}

MODULES = sorted(SOURCE.rglob("*.py"))
IDS = [str(path.relative_to(SOURCE)) for path in MODULES]


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _called_attributes(tree: ast.Module) -> set[str]:
    return {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_ctypes_only_in_linux(path: Path) -> None:
    if path.relative_to(SOURCE).parts[0] == "linux":
        return
    assert not {name for name in _imports(_tree(path)) if name.partition(".")[0] in ("ctypes", "_ctypes", "cffi")}


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_imports_are_absolute(path: Path) -> None:
    relative = [node.lineno for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_nobody_trusts_an_archive(path: Path) -> None:
    assert not {"extractall", "extract"} & _called_attributes(_tree(path))


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_tasks_have_owners(path: Path) -> None:
    """Outside of a TaskGroup and the nursery, whoever starts a task awaits it in the same function."""
    if path.relative_to(SOURCE).as_posix() == NURSERY:
        return
    for function in ast.walk(_tree(path)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not _unawaited_tasks(function), f"{function.name} starts a task that it does not await"


def _unawaited_tasks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[int]:
    awaited = [each for node in ast.walk(function) if isinstance(node, ast.Await) for each in ast.walk(node.value)]
    names = {each.id for each in awaited if isinstance(each, ast.Name)}
    started_by_name = {
        node.value: target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in TASK_STARTERS
        if node not in awaited and started_by_name.get(node) not in names
    ]


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_protocols_stay_small(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases):
            methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
            assert len(methods) <= PROTOCOL_METHODS, f"{node.name} has {len(methods)} methods"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_modules_say_what_they_are_and_are_named_for_it(path: Path) -> None:
    assert ast.get_docstring(_tree(path)), "no docstring"
    assert path.stem not in FORBIDDEN_FILES


def test_every_room_is_a_package() -> None:
    rooms = [path for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert [room.name for room in rooms if not (room / "__init__.py").exists()] == []
