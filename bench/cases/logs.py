"""A container's log: written while nobody reads it, and read afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, Materials
from bench.result import Metric

LINES = 1_000_000
_BYTES = sum(len(str(10**digits)) * 9 * 10**digits + 9 * 10**digits for digits in range(6)) + len("1000000\n")
# The whole log is kept, whatever an engine keeps by default.
_KEPT = ("--log-driver", "json-file", "--log-opt", "max-size=1g")


class LogLines(Case):
    """Numbered lines as fast as `seq` writes them."""

    heavy = True
    _container = "wlbench-log"

    def __init__(self, written: Metric, read: Metric) -> None:
        """Measure from the start until `wait` returns, and `logs` of it."""
        super().__init__(written.key, written, read)

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Write, read and remove."""
        written, read = self.metrics
        try:
            written_s = contestant.timed("run", "-d", "--name", self._container, *_KEPT, BUSYBOX, "seq", str(LINES))
            written_s += contestant.timed("wait", self._container)
            return {written.key: written_s, read.key: contestant.timed_reading(_BYTES, "logs", self._container)}
        finally:
            contestant.output("rm", "-f", self._container)
