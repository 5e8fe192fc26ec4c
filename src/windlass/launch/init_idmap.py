"""Mounts whose ids are those of a user namespace, while the disk keeps the container's.

Source: mount_setattr(2), "ID-mapped mounts"; Documentation/filesystems/idmappings.rst. Overlays take mapped layers
since Linux 5.19.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from windlass.launch.init_context import InitContext, StepFailed
from windlass.linux import capabilities
from windlass.linux import mount as m
from windlass.linux.process import set_filesystem_ids


def map_ids(tree: int, path: str, userns_fd: int, *, recursive: bool) -> None:
    """Map the ids of a detached tree; `path` is where it is from, for the error.

    Raises:
        StepFailed: its file system cannot, or it is mapped already.
    """
    try:
        m.mount_setattr(tree, attr_set=m.MOUNT_ATTR_IDMAP, userns_fd=userns_fd, recursive=recursive)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP):
            raise
        kind = _file_system_of(tree)
        raise StepFailed(
            f"map the ids of {path}: file system {kind} does not support id-mapped mounts, or is mapped already"
            f" ({os.strerror(error.errno).lower()})"
        ) from None


def _file_system_of(tree: int) -> str:
    """Name the kind of file system behind a descriptor. Source: proc(5), mountinfo."""
    device = os.fstat(tree).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}".encode()
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            fields, _, rest = line.partition(b" - ")
            if fields.split()[2] == wanted:
                return rest.split()[0].decode()
    return "unknown"


@contextmanager
def idmapped_layers(
    ctx: InitContext, place: str, lower: list[str], upper: str, work: str
) -> Iterator[tuple[list[str], str, str]]:
    """Have every layer at hand with mapped ids, by short paths, for as long as it takes to mount them.

    Overlays take attached mounts only, before Linux 6.15: they are attached in a tmpfs at host path `place`, which
    nobody else sees and which is gone at the end. Upper and work directory share one mount, as overlays want it.
    """
    m.mount("tmpfs", place, "tmpfs", 0, "mode=700")
    try:
        mapped = [_attach_mapped(ctx, path, f"{place}/{number}") for number, path in enumerate(lower)]
        if not upper:
            yield mapped, "", ""
            return
        above = os.path.dirname(upper)
        if os.path.dirname(work) != above:
            raise StepFailed(f"{upper} and {work} are not in one directory")
        shared = _attach_mapped(ctx, above, f"{place}/u")
        yield mapped, f"{shared}/{os.path.basename(upper)}", f"{shared}/{os.path.basename(work)}"
    finally:
        m.umount2(place, m.MNT_DETACH)


def _attach_mapped(ctx: InitContext, path: str, place: str) -> str:
    tree = m.open_tree(m.AT_FDCWD, path, recursive=False)
    try:
        map_ids(tree, path, ctx.userns_fd, recursive=False)
        os.mkdir(place, 0o700)
        target = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(target)
    finally:
        os.close(tree)
    return place


@contextmanager
def mounter_inside(ctx: InitContext) -> Iterator[None]:
    """Create files as the root of the user namespace, with the rights of the host's.

    An overlay creates its files as whoever mounted it; the host's root has no id in the mapped layers, which would make
    the overlay read-only without a word (EOVERFLOW). A change of the file system's uid costs capabilities: taken back.
    """
    if ctx.outer_uid < 0 or ctx.outer_gid < 0:
        raise StepFailed("the user namespace has no root")
    sets = capabilities.capget()
    set_filesystem_ids(ctx.outer_uid, ctx.outer_gid)
    try:
        capabilities.capset(*sets)
        yield
    finally:
        set_filesystem_ids(os.geteuid(), os.getegid())
        capabilities.capset(*sets)
