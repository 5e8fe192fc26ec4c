"""What a container prints, on its way to a reader of the client's standard output."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, LINES_BYTES, Materials
from bench.result import Metric

_ZERO_BLOCKS = 7630
ZERO_BYTES = _ZERO_BLOCKS << 16


class Lines(Case):
    """Lines of text out of a file: `cat` writes them faster than any engine here takes them."""

    heavy = True

    def __init__(self, metric: Metric, *options: str) -> None:
        """Measure `docker run --rm OPTIONS`."""
        super().__init__(metric.key, metric)
        self._options = options

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Run `cat`, and count what comes."""
        mount = f"{materials.lines}:/lines:ro"
        argv = ("run", "--rm", *self._options, "-v", mount, BUSYBOX, "cat", "/lines")
        return {self.metrics[0].key: contestant.timed_reading(LINES_BYTES, *argv)}


class Zeros(Case):
    """Bytes without a line end. In a JSON log each takes six characters."""

    heavy = True

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Run `dd`, and count what comes."""
        argv = ("run", "--rm", BUSYBOX, "dd", "if=/dev/zero", "bs=64k", f"count={_ZERO_BLOCKS}")
        return {self.metrics[0].key: contestant.timed_reading(ZERO_BYTES, *argv)}
