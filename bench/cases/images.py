"""Images of 170 MB in and out. Every turn brings in a layer that no engine has seen.

Nothing is removed between turns. An ext4 without a journal looks for inodes that were not deleted in the last minutes:
the removal of one engine's layer would slow down whichever engine comes next, up to four times.
Source: fs/ext4/ialloc.c, recently_deleted().
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.archives import write_image
from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import DEBIAN, Materials


class Import(Case):
    """`docker import` of a root file system."""

    heavy = True

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Import it."""
        layer = materials.layer.renew()
        return {self.metrics[0].key: contestant.timed("import", str(layer), DEBIAN)}


class Load(Case):
    """`docker load` of the same as an image of one layer, uncompressed."""

    heavy = True

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Load it."""
        archive = materials.directory / "load.tar"
        write_image(archive, materials.layer.renew(), DEBIAN)
        return {self.metrics[0].key: contestant.timed("load", "-i", str(archive))}


class Save(Case):
    """`docker save` of the same into a file."""

    heavy = True

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Have the image."""
        contestant.output("import", str(materials.layer.renew()), DEBIAN)

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Save it, and remove the file."""
        archive = materials.directory / "save.tar"
        elapsed_s = contestant.timed("save", "-o", str(archive), DEBIAN)
        archive.unlink()
        return {self.metrics[0].key: elapsed_s}
