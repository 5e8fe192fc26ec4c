"""Unpacked layers in directories with short names, and the overlays that they make.

Names are short because mount options are capped at one page. Which chain id a name stands for is the metadata store's
to know: here a layer is a name, and one is complete as soon as it is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from windlass.base.errors import InvalidParameter, NotFound
from windlass.linux.fs import spread_children, syncfs
from windlass.snapshots.incoming import IncomingLayer
from windlass.snapshots.naming import DIFF, INCOMING_PREFIX, TRASH_PREFIX, LayerName, checked_name, is_name, refusal
from windlass.snapshots.trash import delete, discard
from windlass.snapshots.usage import disk_usage
from windlass.spec.mounts import OverlayMount

# What the upper directory has must be readable without the lower ones: a layer is made of it. The kernel's defaults for
# these are a matter of its configuration.
OVERLAY_OPTIONS = ("index=off", "metacopy=off", "redirect_dir=off")


class LayerNotFound(NotFound):
    """No layer of this name is complete."""

    def __init__(self, name: str) -> None:
        super().__init__(f"layer {name[:64]!r} does not exist")
        self.name = name


class LayerStore:
    """Layers at `<root>/layers/<name>/d`; incoming and removed ones beside them under names that are no layer's."""

    def __init__(self, root: str) -> None:
        """Use the layers below `root`, making the directory (0700: their set-id files are not the host's) when missing.

        Raises:
            System: the host refused.
        """
        self.directory = f"{root}/layers"
        try:
            os.makedirs(self.directory, 0o700, exist_ok=True)
            fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise refusal("make", self.directory, error) from error
        spread_children(fd)
        os.close(fd)

    def prepare(self) -> IncomingLayer:
        """Make a directory for a layer to be unpacked in.

        Raises:
            System: the host refused; a full disk reads "no space left on device".
        """
        return IncomingLayer(self.directory)

    def path(self, name: LayerName) -> str:
        """Return the directory of a layer's content.

        Raises:
            InvalidParameter: not a name: it never becomes a path.
        """
        return f"{self.directory}/{checked_name(name)}/{DIFF}"

    def exists(self, name: LayerName) -> bool:
        """Tell whether the layer is complete."""
        return os.path.isdir(self.path(name))

    def walk(self) -> Iterator[LayerName]:
        """Yield the names of all complete layers."""
        for name in os.listdir(self.directory):
            if is_name(name):
                yield LayerName(name)

    def mount(self, layers: Iterable[LayerName], upper: str = "", work: str = "") -> OverlayMount:
        """Return the overlay of `layers`, bottom first, with the directories `upper` and `work` on top.

        Raises:
            LayerNotFound: one of them is not complete.
            InvalidParameter: `upper` without `work`, or the other way round.
        """
        names = [checked_name(name) for name in layers]
        for name in names:
            if not self.exists(name):
                raise LayerNotFound(name)
        if bool(upper) != bool(work):
            raise InvalidParameter("an overlay needs both an upper and a work directory, or neither")
        lower = tuple(f"{name}/{DIFF}" for name in reversed(names))
        return OverlayMount(base=self.directory, lower=lower, upper=upper, work=work, options=OVERLAY_OPTIONS)

    def usage(self, name: LayerName) -> int:
        """Return the disk space of a layer in bytes, each hard-linked file counted once.

        Raises:
            LayerNotFound: it is not complete.
        """
        if not self.exists(name):
            raise LayerNotFound(name)
        return disk_usage(self.path(name))

    def remove(self, name: LayerName) -> None:
        """Remove a layer: gone at once for everyone, its files soon after. A missing one is fine.

        What an interruption leaves is removed by `clean_up`.

        Raises:
            System: the host refused; or something is mounted inside, and stays.
        """
        discard(self.directory, checked_name(name))

    def clean_up(self) -> int:
        """Remove what interrupted removals and unpackings have left; return how many.

        For the daemon's start: an unpacking that is under way would be removed too.

        Raises:
            System: the host refused.
        """
        left = [name for name in os.listdir(self.directory) if name.startswith((INCOMING_PREFIX, TRASH_PREFIX))]
        for name in left:
            delete(self.directory, name)
        return len(left)

    def sync(self) -> None:
        """Put every layer committed so far on the disk, so that a power cut leaves them whole.

        Raises:
            System: the disk failed.
        """
        fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syncfs(fd)
        except OSError as error:
            raise refusal("sync", self.directory, error) from error
        finally:
            os.close(fd)
