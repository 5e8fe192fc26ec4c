"""Mounts whose ids are those of a user namespace, while the disk keeps the container's.

Source: mount_setattr(2), "ID-mapped mounts"; Documentation/filesystems/idmappings.rst. Overlays take mapped layers
since Linux 5.19.
"""

from __future__ import annotations

import errno
import os

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


class IdmappedLayers:
    """Every layer at hand with mapped ids, by short paths, for as long as it takes to mount them.

    Overlays take attached mounts only, before Linux 6.15: they are attached in a tmpfs at host path `place`, which
    nobody else sees and which is gone at the end. Upper and work directory share one mount, as overlays want it. It is
    the working directory meanwhile: before Linux 6.8 the names of all layers must fit 256 bytes.
    """

    def __init__(self, ctx: InitContext, place: str, lower: list[str], upper: str, work: str) -> None:
        self._ctx = ctx
        self._place = place
        self._lower = lower
        self._upper = upper
        self._work = work

    def __enter__(self) -> tuple[list[str], str, str]:
        """Return the relative paths of the lower layers, the upper one and the work directory."""
        m.mount("tmpfs", self._place, "tmpfs", 0, "mode=700")
        try:
            os.chdir(self._place)
            return self._attach()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_error: object) -> None:
        os.chdir("/")
        m.umount2(self._place, m.MNT_DETACH)

    def _attach(self) -> tuple[list[str], str, str]:
        upper, work = self._upper, self._work
        mapped = [_attach_mapped(self._ctx, path, str(number)) for number, path in enumerate(self._lower)]
        if not upper:
            return mapped, "", ""
        above = os.path.dirname(upper)
        if os.path.dirname(work) != above:
            raise StepFailed(f"{upper} and {work} are not in one directory")
        shared = _attach_mapped(self._ctx, above, "u")
        return mapped, f"{shared}/{os.path.basename(upper)}", f"{shared}/{os.path.basename(work)}"


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


class MounterInside:
    """Files are created as the root of the user namespace, with the rights of the host's.

    An overlay creates its files as whoever mounted it; the host's root has no id in the mapped layers, which would make
    the overlay read-only without a word (EOVERFLOW). A change of the file system's uid costs capabilities: taken back.
    """

    def __init__(self, ctx: InitContext) -> None:
        if ctx.outer_uid < 0 or ctx.outer_gid < 0:
            raise StepFailed("the user namespace has no root")
        self._ids = ctx.outer_uid, ctx.outer_gid
        self._sets = capabilities.capget()

    def __enter__(self) -> None:
        set_filesystem_ids(*self._ids)
        capabilities.capset(*self._sets)

    def __exit__(self, *_error: object) -> None:
        set_filesystem_ids(os.geteuid(), os.getegid())
        capabilities.capset(*self._sets)
