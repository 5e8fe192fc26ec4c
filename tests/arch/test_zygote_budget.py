"""What the zygote carries: every module of it is in every container's supervisor, and before exec in every init."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / "src" / "windlass" / "launch"

MODULES_LIMIT = 165
# Threads, event loops and parsers of the world outside have no place in a process that only forks; pwd and grp would
# ask the container's own NSS (law 2).
FORBIDDEN = {"aiohttp", "asyncio", "concurrent", "email", "grp", "http", "logging", "multiprocessing", "pwd", "sqlite3",
             "ssl", "subprocess", "threading", "urllib"}  # fmt: skip

# These run between fork and exec, when the root may already be the container's.
AFTER_FORK = sorted([*LAUNCH.glob("init*.py"), LAUNCH / "users.py", LAUNCH / "child.py"])


def _zygote_modules() -> set[str]:
    # Only what the zygote's interpreter has by itself is not counted.
    script = (
        "import sys; before = set(sys.modules)\n"
        f"sys.path[:0] = {[str(ROOT / 'src'), *(path for path in sys.path if 'site-packages' in path)]!r}\n"
        "import windlass.launch.zygote\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_zygote_imports_little() -> None:
    modules = _zygote_modules()
    assert not FORBIDDEN & {name.partition(".")[0] for name in modules}
    assert len(modules) <= MODULES_LIMIT, sorted(modules)


@pytest.mark.parametrize("path", AFTER_FORK, ids=lambda path: path.name)
def test_nothing_is_imported_between_fork_and_exec(path: Path) -> None:
    late = [
        node.lineno
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not late
