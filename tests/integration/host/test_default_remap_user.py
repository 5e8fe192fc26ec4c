"""`--userns-remap=default` makes its user with the host's own tools, in an /etc of the test's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.remap import with_own_etc

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which("useradd") is None, reason="needs useradd and usermod"),
]

_LOAD = """
import sys; sys.path[:] = {path!r}
from windlass.base.errors import WindlassError
from windlass.host.remap_user import load_mappings
try:
    for _ in range(2):
        print(load_mappings("default"))
except WindlassError as error:
    print(type(error).__name__, error.message)
print(open("/etc/passwd").read())
print(open("/etc/subuid").read())
"""


def _load(tmp_path: Path, before: str = "true") -> str:
    script = _LOAD.format(path=[entry for entry in sys.path if entry])
    command = with_own_etc(tmp_path, [sys.executable, "-I", "-c", script], before)
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def test_the_user_and_its_ranges_are_made_once(tmp_path: Path) -> None:
    before = "echo somebody:100000:65536 > /etc/subuid; : > /etc/subgid"
    first, second, *files = _load(tmp_path, before).splitlines()
    assert first == second
    assert "IdRange(inside=0, outside=165536, size=65536)" in first
    assert "IdRange(inside=0, outside=100000, size=65536)" in first
    assert [line.partition(":")[0] for line in files].count("dockremap") == 2, "one user, one range"
    assert not any(line.startswith("dockremap:") for line in Path("/etc/subuid").read_text().splitlines())


def test_what_the_tool_refuses_is_told_with_a_remedy(tmp_path: Path) -> None:
    output = _load(tmp_path, "rm -f /etc/subuid; : > /etc/subuid; mkdir /etc/passwd.lock")
    assert output.startswith('System Error during "dockremap" user creation: useradd: ')
    assert "make the user dockremap and its lines in /etc/subuid and /etc/subgid yourself" in output
