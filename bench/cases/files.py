"""Files of a container: in, out, and what becomes of its changes.

The container runs, as it mostly does when its files are asked for. Nothing is removed between turns: see `images.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, COPIED_BYTES, DEBIAN, Materials

_COMMITTED_MEGABYTES = 150


class _WithContainer(Case):
    """Something that needs a running container."""

    heavy = True
    _image = BUSYBOX

    @property
    def _container(self) -> str:
        return f"wlbench-{self.name}"

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Start it."""
        contestant.output("run", "-d", "--name", self._container, "--network", "none", self._image, "sleep", "3600")

    def restore(self, contestant: Contestant) -> None:
        """Remove it."""
        contestant.output("rm", "-f", self._container)


class CopyIn(_WithContainer):
    """`docker cp` of one file of 100 MB into a container."""

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Copy it."""
        source = str(materials.random_file)
        return {self.metrics[0].key: contestant.timed("cp", "-q", source, f"{self._container}:/copied")}


class CopyOut(_WithContainer):
    """`docker cp` of the same out of it."""

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Have it there."""
        super().prepare(contestant, materials)
        contestant.output("cp", "-q", str(materials.random_file), f"{self._container}:/copied")

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Copy it, and remove the copy."""
        target = materials.directory / "copied"
        elapsed_s = contestant.timed("cp", "-q", f"{self._container}:/copied", str(target))
        assert target.stat().st_size == COPIED_BYTES
        target.unlink()
        return {self.metrics[0].key: elapsed_s}


class Commit(_WithContainer):
    """`docker commit` of a container that has written 150 MB, other ones each time."""

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Write, and commit."""
        write = ("dd", "if=/dev/urandom", "of=/changed", "bs=1M", f"count={_COMMITTED_MEGABYTES}")
        contestant.output("exec", self._container, *write)
        return {self.metrics[0].key: contestant.timed("commit", self._container)}


class Export(_WithContainer):
    """`docker export` of a Debian root into a file."""

    _image = DEBIAN

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Have the image, and a container of it."""
        contestant.output("import", str(materials.layer.renew()), DEBIAN)
        super().prepare(contestant, materials)

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Export it, and remove the file."""
        archive = materials.directory / "export.tar"
        elapsed_s = contestant.timed("export", "-o", str(archive), self._container)
        archive.unlink()
        return {self.metrics[0].key: elapsed_s}
