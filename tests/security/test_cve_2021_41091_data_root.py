"""CVE-2021-41089, CVE-2021-41091: the host's users do not reach what containers write.

A set-id file that a container made would otherwise be one on the host, too.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.support.fake_engine import open_world


def _others(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode) & 0o007


async def test_directories_are_closed_to_others(tmp_path: Path) -> None:
    os.umask(0)
    try:
        async with open_world(tmp_path) as world:
            container_id = await world.make("c1")
            paths = world.engine.paths
            assert _others(paths.data_root) == 0
            assert _others(paths.containers) == 0
            assert _others(paths.trash) == 0
            assert _others(paths.container(container_id).base) == 0
            assert _others(f"{paths.run_root}/containers") == 0
            assert _others(os.path.dirname(paths.database)) == 0
            volume = await world.engine.volumes.create("data")
            # Reached through the data root only; containers of any user need the last directory itself.
            assert _others(os.path.dirname(volume.path)) & 0o006 == 0
    finally:
        os.umask(0o022)
