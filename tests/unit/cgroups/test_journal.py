"""What brings old values back, by file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from windlass.cgroups import control
from windlass.cgroups.journal import Journal, undo_text
from windlass.cgroups.model import CgroupError


@pytest.mark.parametrize(
    ("file", "old", "new", "undo"),
    [
        ("pids.max", "max\n", "5", "max"),
        ("cpuset.cpus", "\n", "0-1", "\n"),
        ("cpu.max", "max 100000\n", "5000 10000", "max 100000"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "1", "0"),
        ("io.max", "8:0 rbps=1 wbps=max riops=max wiops=2\n", "8:0 rbps=9", "8:0 rbps=1 wbps=max riops=max wiops=2"),
        ("io.max", "8:0 rbps=1\n", "8:16 wbps=9", "8:16 rbps=max wbps=max riops=max wiops=max"),
        ("io.weight", "default 100\n8:0 50\n", "default 4950", "default 100"),
        ("io.weight", "default 100\n8:0 50\n", "8:0 7", "8:0 50"),
        ("io.bfq.weight", "default 100\n", "8:0 7", "8:0 default"),
        ("blkio.throttle.read_bps_device", "8:0 1024\n", "8:16 5", "8:16 0"),
        ("blkio.throttle.read_bps_device", "8:0 1024\n8:16 7\n", "8:16 5", "8:16 7"),
        ("net_prio.ifpriomap", "lo 0\neth0 3\n", "eth0 5", "eth0 3"),
        ("rdma.max", "", "mlx hca_handle=2", "mlx hca_handle=max hca_object=max"),
    ],
)
def test_undo_text(file: str, old: str, new: str, undo: str) -> None:
    assert undo_text(file, old, new) == undo


def test_the_newest_is_restored_first_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"old {name}")
    journal = Journal()
    for name in ("a", "b", "a", "missing"):
        journal.note(f"{tmp_path}/{name}", "new")
    written: list[tuple[str, str]] = []
    monkeypatch.setattr(control, "write", lambda path, text: written.append((Path(path).name, text)))
    journal.undo()
    assert written == [("b", "old b"), ("a", "old a")]


def test_values_that_hold_each_other_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"memory": 300, "sum": 400}

    def write(path: str, text: str) -> None:
        after = values | {Path(path).name: int(text)}
        if after["memory"] > after["sum"]:
            raise CgroupError("refused", errno=errno.EINVAL)
        values.update(after)

    (tmp_path / "memory").write_text("100")
    (tmp_path / "sum").write_text("200")
    journal = Journal()
    journal.note(f"{tmp_path}/memory", "300")
    journal.note(f"{tmp_path}/sum", "400")
    monkeypatch.setattr(control, "write", write)
    journal.undo()
    assert values == {"memory": 100, "sum": 200}
