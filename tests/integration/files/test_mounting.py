"""Layers of a container that does not run, however many there are."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from windlass.files.model import Root
from windlass.files.mounting import leave_host, mount_container, mount_image, mount_view

_LAYERS = 300
_KERNEL = tuple(int(part) for part in platform.release().split(".")[:2])

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(_KERNEL < (6, 8), reason="before Linux 6.8 the layers must fit one page"),
]


@pytest.mark.parametrize("way", [mount_container, mount_view, mount_image])
def test_more_layers_than_fit_a_page_of_options(tmp_path: Path, way: object) -> None:
    names = [f"layer-with-a-long-name-{number:04}" for number in range(_LAYERS)]
    for name in names:
        (tmp_path / "layers" / name).mkdir(parents=True)
    (tmp_path / "layers" / names[0] / "top").touch()
    (tmp_path / "layers" / names[-1] / "bottom").touch()
    for name in ("upper", "work", "target"):
        (tmp_path / name).mkdir()
    root = Root(
        str(tmp_path / "layers"), names, str(tmp_path / "upper"), str(tmp_path / "work"), str(tmp_path / "target")
    )
    assert callable(way)
    pid = os.fork()
    if pid == 0:
        try:
            leave_host()
            os._exit(0 if {"top", "bottom"} <= set(os.listdir(way(root))) else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert os.listdir(tmp_path / "target") == []
