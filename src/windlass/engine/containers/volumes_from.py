"""`--volumes-from`: the mounts of other containers.

Source: Engine API, HostConfig.VolumesFrom.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.table import ContainerTable
from windlass.runtime.intent import MountPoint
from windlass.runtime.mount_requests import is_valid_mode


def mounts_from(containers: ContainerTable, references: Iterable[str]) -> list[MountPoint]:
    """Return the binds and volumes of the containers named `name[:mode]`.

    Raises:
        NoSuchContainer: one does not exist.
        InvalidParameter: a mode is malformed.
    """
    found: dict[str, MountPoint] = {}
    for reference in references:
        name, _, mode = reference.partition(":")
        if not is_valid_mode(mode):
            raise InvalidParameter(f"invalid mode for volumes-from: {mode}")
        for point in containers.get(name).intent.mounts:
            if point.type not in ("bind", "volume"):
                continue
            read_only = point.read_only or "ro" in mode.split(",")
            found[point.destination] = msgspec.structs.replace(
                point, read_only=read_only, mode=mode or point.mode, copy_data=False
            )
    return list(found.values())
