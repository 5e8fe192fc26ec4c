"""What a command of the OCI runtime imports on its way: each module is paid for at every step of every container.

The budget is a list, not seconds: those depend on the machine and the moment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

# C modules and tiny ones, and what `os` needs.
ALLOWED = {
    "__future__",
    "_collections_abc",
    "_ctypes",
    "_json",
    "_socket",
    "_stat",
    "errno",
    "fcntl",
    "genericpath",
    "os",
    "os.path",
    "posixpath",
    "resource",
    "select",
    "stat",
    "termios",
    "time",
}

# What `run` and `create` come through, on either version of control groups.
COMMAND = (
    "main",
    "oci.arguments",
    "oci.commands",
    "oci.create",
    "oci.making",
    "oci.bundle",
    "oci.foreground",
    "oci.delete",
    "oci.execute",
    "lower_plan",
    "plan_exec",
)
CGROUPS = ("driver", "v1", "v1_driver", "v2", "v2_driver")

_SCRIPT = """
import sys
before = set(sys.modules)
sys.path.insert(0, {source!r})
import windlass.base.cold
for name in {names!r}:
    __import__(name)
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("windlass")))
"""


def imported(names: list[str]) -> set[str]:
    """Modules of others that these modules bring, in an interpreter of their own."""
    script = _SCRIPT.format(source=str(SOURCE), names=names)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "names",
    [
        [f"windlass.runtime.{name}" for name in COMMAND],
        [f"windlass.cgroups.{name}" for name in CGROUPS],
        ["windlass.runtime.oci.boot", "windlass.runtime.oci.process_side"],
    ],
    ids=["command", "cgroups", "sealed interpreter"],
)
def test_next_to_nothing_is_imported(names: list[str]) -> None:
    assert imported(names) <= ALLOWED


def test_before_the_interpreter_is_started_not_even_os() -> None:
    found = imported(["windlass.runtime.main", "windlass.runtime.oci.early"])
    assert found <= {"__future__", "_socket"}
