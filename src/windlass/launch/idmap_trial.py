"""A trial, in a worker, of the root that remapped containers get: better no daemon than wrong owners on the disk.

Kernels before 5.19 do not take mapped layers, some file systems cannot be mapped, and an overlay that cannot be written
is mounted read-only without an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from windlass.base.errors import System
from windlass.launch import init_namespaces, init_root
from windlass.launch.init_context import InitContext, StepFailed
from windlass.linux import mount as mounts
from windlass.linux import removal
from windlass.linux.namespaces import CLONE_NEWNS, unshare
from windlass.spec.plan import IdRange, LaunchPlan, OverlayRoot, UserNs

_PARTS = ("lower", "upper", "work", "root")


class TrialParams(msgspec.Struct, frozen=True):
    """`directory` is where to try it, on the file system of layers and containers."""

    directory: str
    uids: list[IdRange]
    gids: list[IdRange]


def try_idmaps_job(params: Mapping[str, object], _fds: list[int]) -> dict[str, object]:
    """Make a user namespace and mount a mapped overlay, as init does for a container; nothing is left.

    Raises:
        System: it cannot be had; says why.
    """
    wanted = msgspec.convert(params, TrialParams)
    name = f"idmap-trial-{os.getpid()}"
    place = f"{wanted.directory}/{name}"
    try:
        for part in ("", *_PARTS):
            os.mkdir(f"{place}/{part}", 0o755)
        _try(wanted, place)
    except StepFailed as failed:
        raise System(failed.message) from None
    except OSError as error:
        raise System(error.strerror or str(error)) from None
    finally:
        _remove(wanted.directory, name)
    return {}


def _try(wanted: TrialParams, place: str) -> None:
    unshare(CLONE_NEWNS)
    mounts.mount(None, "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
    context = InitContext(LaunchPlan([]), [], [])
    init_namespaces.user_ns(context, UserNs(wanted.uids, wanted.gids))
    overlay = OverlayRoot(f"{place}/root", place, ["lower"], f"{place}/upper", f"{place}/work", idmap=True)
    init_root.overlay_root(context, overlay)
    root = context.root_mount
    try:
        if os.fstatvfs(root).f_flag & os.ST_RDONLY:
            raise StepFailed("an overlay of id-mapped layers cannot be written to")
        if os.fstat(root).st_uid != wanted.uids[0].outside:
            raise StepFailed("an overlay of id-mapped layers shows the ids of the disk")
    finally:
        os.close(root)


def _remove(directory: str, name: str) -> None:
    parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        removal.remove(parent, os.fsencode(name))
    except FileNotFoundError:
        pass
    finally:
        os.close(parent)
