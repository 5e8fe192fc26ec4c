"""What the control groups of a host can do, by the files they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.cgroups.model import CgroupHost
from windlass.runtime.facts import probe_host


@pytest.mark.parametrize(
    ("controllers", "files", "features"),
    [
        (("cpu", "memory"), (), {"cfs", "swap"}),
        (("memory",), ("child/memory.max",), set()),
        (("memory",), ("child/memory.max", "child/memory.swap.max"), {"swap"}),
        (("io",), (), set()),
        (("io",), ("io.cost.qos",), {"bfq", "bfq_device"}),
    ],
)
def test_v2(tmp_path: Path, controllers: tuple[str, ...], files: tuple[str, ...], features: set[str]) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    facts = probe_host(CgroupHost(2, str(tmp_path), dict.fromkeys(controllers, str(tmp_path))))
    assert facts.features == features


def test_controllers_of_both_versions(tmp_path: Path) -> None:
    host = CgroupHost(1, str(tmp_path), {"memory": str(tmp_path)}, hybrid=True, unified_controllers=("hugetlb",))
    assert probe_host(host).controllers == {"memory", "hugetlb"}
