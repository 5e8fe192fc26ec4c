"""`--userns-remap`: settled when the daemon starts, and for as long as it runs."""

from __future__ import annotations

import msgspec

from windlass.base.errors import System
from windlass.base.threads import run_blocking
from windlass.host.remap_user import load_mappings
from windlass.runtime.task import Launcher
from windlass.spec.id_mappings import IdMappings


async def open_mappings(setting: str, launcher: Launcher, directory: str) -> IdMappings | None:
    """Return the mappings that `setting` asks for, tried out in `directory`; None for none.

    Raises:
        InvalidParameter: the user or its subordinate ids do not exist.
        System: this kernel or this file system cannot map ids.
    """
    mappings = await run_blocking(load_mappings, setting)
    if mappings is None:
        return None
    params = {"directory": directory, "uids": mappings.uids, "gids": mappings.gids}
    try:
        await launcher.run_job("try-idmaps", msgspec.to_builtins(params))
    except System as error:
        raise System(
            f"--userns-remap={setting} cannot work here: {error.message}; it needs Linux 5.19 or newer, user "
            "namespaces (sysctl user.max_user_namespaces), and a --data-root on a file system that can map ids "
            "(ext4, xfs, btrfs)"
        ) from None
    return mappings
