"""CVE-2023-25809, CVE-2022-0492 and the class: a container must not write to its control groups, nor leave them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.entries import make_entry
from tests.support.launching import Bench
from tests.support.lowered import lowered

from windlass.base.errors import InvalidParameter
from windlass.cgroups.driver import make_driver
from windlass.spec.container import HostConfig
from windlass.spec.resources import LinuxResources

pytestmark = [pytest.mark.root, pytest.mark.cgroups]

_WRITES = """
find /sys/fs/cgroup -type f \\( -name cgroup.procs -o -name tasks -o -name release_agent -o -name 'memory.*limit*' \
    -o -name devices.allow -o -name pids.max \\) | while read f; do (echo 0 > $f) 2>/dev/null && echo wrote $f; done
find /sys/fs/cgroup -maxdepth 2 -type d | while read d; do mkdir $d/x 2>/dev/null && echo made $d/x; done
find /sys/fs/cgroup -name release_agent
mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo remounted
true
"""


@pytest.mark.parametrize("mode", ["host", "private"])
async def test_nothing_can_be_written(bench: Bench, mode: str) -> None:
    async with lowered(bench, ["sh", "-c", _WRITES], host=HostConfig(cgroupns_mode=mode)) as container:
        assert await container.output() == ""


_USER = {
    "linux__uidMappings": [{"containerID": 0, "hostID": 100_000, "size": 65536}],
    "linux__gidMappings": [{"containerID": 0, "hostID": 100_000, "size": 65536}],
}


@pytest.mark.parametrize(
    ("kind", "more"),
    [("oci run", ()), ("oci exec", ("cgroup",)), ("oci run", ("user",)), ("oci exec", ("user", "cgroup"))],
)
async def test_bundles(bench: Bench, tmp_path: Path, kind: str, more: tuple[str, ...]) -> None:
    """CVE-2023-25809 is about the host's control groups in a user namespace without a cgroup namespace."""
    entry = make_entry(kind, bench, tmp_path)
    namespaces = [{"type": name} for name in ("mount", "pid", "ipc", "uts", "network", *more)]
    options = ["nosuid", "noexec", "nodev", "relatime", "ro"]
    changes = {
        "linux__namespaces": namespaces,
        "mounts": [
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": options},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options},
        ],
        **(_USER if "user" in more else {}),
    }
    tmp_path.chmod(0o755)
    output = await entry.output(["sh", "-c", f"{_WRITES}\nls /sys/fs/cgroup | wc -l"], oci=changes)
    assert output.strip().isdecimal() and int(output) > 0


@pytest.mark.parametrize("name", ["../escape", "windlass/../../escape", "/", "a\nb"])
def test_a_parent_outside_ours_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter):
        make_driver().create(name, LinuxResources())
