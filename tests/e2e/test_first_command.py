"""The README's first command, as typed: the launcher, a daemon started on demand, a container.

It runs with the default paths, which may be somebody's real engine: so in mount and network namespaces of its own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.root, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
_DEFAULT_DIRECTORIES = ("/run/windlass", "/var/lib/windlass")
_CGROUP = "windlass"

# Inside: private directories, the commands, and the end of the daemon that the first of them started.
_SCRIPT = """
set -e
mount -t tmpfs tmpfs /run/windlass
mount -t tmpfs tmpfs /var/lib/windlass
ip link set lo up
./windlass run --rm windlass/hello
./windlass run -i --rm --network none windlass/hello | head -n 2
./windlass version --format '{{.Server.Version}}'
kill "$(cat /run/windlass/windlassd.pid)"
while [ -e /run/windlass/windlassd.pid ]; do sleep 0.05; done
"""


@pytest.fixture
def mount_points() -> Iterator[None]:
    """The directories to mount over, and the default control group; taken away again where this test made them."""
    made = [path for path in map(Path, _DEFAULT_DIRECTORIES) if not path.exists()]
    for path in made:
        path.mkdir(mode=0o711)
    groups = [path for path in Path("/sys/fs/cgroup").glob("*/") if not (path / _CGROUP).exists()]
    yield
    for path in made:
        path.rmdir()
    for group in groups:
        if (group / _CGROUP).exists():
            (group / _CGROUP).rmdir()


def test_readme_s_first_command(mount_points: None) -> None:
    prepared = subprocess.run([ROOT / "windlass", "--version"], capture_output=True, text=True, timeout=300)
    if prepared.returncode:
        pytest.skip(f"the launcher could not prepare its environment: {prepared.stderr.strip().splitlines()[-1]}")
    environment = {key: value for key, value in os.environ.items() if key not in ("DOCKER_HOST", "WINDLASS_HOST")}
    result = subprocess.run(
        ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", _SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("Hello from Windlass!") == 2
    assert "What just happened:" in result.stdout
