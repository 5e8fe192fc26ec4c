"""What the command line imports before it does its work: every module is paid for by everybody, on every call.

The budget is a count and a list, not seconds: those depend on the machine and the moment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.engine_recorder import recording
from tests.support.request_cases import ANSWERS

SOURCE = Path(__file__).parents[2] / "src"
MAIN = SOURCE / "windlass" / "__main__.py"

# The C modules, and the tiny ones of the standard library, that the hot paths may load besides our own.
ALLOWED = {"__future__", "_json", "_socket", "_thread", "array", "math", "select", "termios"}
# Our own modules on the hot path of each verb, with some room; each costs about 0.2 ms.
OWN_MODULES_LIMIT = {"run": 36, "exec": 26, "ps": 30, "version": 22}

HOT = {
    "run": ["run", "--rm", "img", "true"],
    "exec": ["exec", "-d", "c", "true"],
    "ps": ["ps", "-a"],
    "version": ["version"],
}

# Runs the file the launcher runs, and reports what was loaded when the command leaves.
SCRIPT = """
import os, sys
before, leave = set(sys.modules), os._exit
def report(status):
    print("MODULES", *sorted(set(sys.modules) - before), flush=True)
    leave(status)
os._exit = report
sys.argv = {argv!r}
with open({main!r}) as file:
    exec(compile(file.read(), {main!r}, "exec"), dict(__name__="__main__", __file__={main!r}, __package__=""))
"""


def imported(words: list[str], socket_path: str) -> set[str]:
    """Run one command line against a recording engine; returns the modules it loaded by itself."""
    argv = ["windlass", "-H", f"unix://{socket_path}", *words]
    script = SCRIPT.format(argv=argv, main=str(MAIN))
    with recording(socket_path, ANSWERS):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False, timeout=60
        )
    last = [line for line in done.stdout.splitlines() if line.startswith("MODULES")]
    assert last, done.stderr
    return set(last[0].split()[1:])


@pytest.mark.parametrize("verb", HOT)
def test_hot_verbs_import_next_to_nothing(verb: str, tmp_path: Path) -> None:
    modules = imported(HOT[verb], str(tmp_path / "engine.sock"))
    own = {name for name in modules if name == "windlass" or name.startswith("windlass.")}
    assert not modules - own - ALLOWED
    assert len(own) <= OWN_MODULES_LIMIT[verb], sorted(own)


def test_the_client_never_needs_installed_packages() -> None:
    # The launcher runs it with -S: every verb but those that become another program must load without site-packages.
    script = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from windlass.cli.commands import VERBS, load\n"
        "[load(path) for path in VERBS]\n"
        "installed = {'aiohttp', 'msgspec', 'isal', 'zstandard'}\n"
        "print(*installed & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert not done.stdout.split()
