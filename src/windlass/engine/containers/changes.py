"""`diff`: what a container has changed in its files."""

from __future__ import annotations

from typing import cast

import msgspec

from windlass.engine.containers.reach import layers_root
from windlass.engine.engine import Engine


async def list_changes(engine: Engine, reference: str) -> list[dict[str, object]]:
    """Return the changed paths of a container, each with its kind: 0 changed, 1 added, 2 deleted.

    Raises:
        NoSuchContainer: there is none.
        WindlassError: the host refused.
    """
    container = engine.containers.get(reference)
    params = msgspec.to_builtins(layers_root(engine, container))
    result = await engine.launcher.run_job("files-changes", params)
    found = cast("list[tuple[str, int]]", result["changes"])
    return [{"Path": path, "Kind": kind} for path, kind in found]
