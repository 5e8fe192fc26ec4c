"""Reading which hierarchies are mounted."""

from __future__ import annotations

from pathlib import Path

from windlass.cgroups.detect import detect

_V1 = """\
30 23 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory
34 30 0:29 / /mnt/elsewhere rw - cgroup cgroup rw,memory
"""
_UNIFIED = "35 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"


def _mountinfo(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mountinfo"
    path.write_text(text)
    return str(path)


def test_v1(tmp_path: Path) -> None:
    host = detect(mountinfo=_mountinfo(tmp_path, _V1))
    assert (host.version, host.hybrid) == (1, False)
    assert host.controllers == {
        "name=systemd": "/sys/fs/cgroup/systemd",
        "cpu": "/sys/fs/cgroup/cpu,cpuacct",
        "cpuacct": "/sys/fs/cgroup/cpu,cpuacct",
        "memory": "/sys/fs/cgroup/memory",
    }


def test_hybrid(tmp_path: Path) -> None:
    host = detect(mountinfo=_mountinfo(tmp_path, _V1 + _UNIFIED))
    assert (host.version, host.hybrid, host.unified) == (1, True, "/sys/fs/cgroup/unified")


def test_v2(tmp_path: Path) -> None:
    root = tmp_path / "cgroup two"
    root.mkdir()
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    escaped = str(root).replace(" ", "\\040")
    line = f"30 23 0:26 / {escaped} rw - cgroup2 cgroup2 rw\n"
    host = detect(str(root), _mountinfo(tmp_path, line))
    assert host.version == 2
    assert set(host.controllers) == {"cpu", "memory", "pids", "devices", "freezer"}
    assert set(host.controllers.values()) == {str(root)}


def test_nothing_is_mounted(tmp_path: Path) -> None:
    host = detect(mountinfo=_mountinfo(tmp_path, "20 1 8:1 / / rw - ext4 /dev/vda rw\n"))
    assert (host.version, host.controllers) == (0, {})
