"""The memory that engines hold while nothing happens."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, Materials
from bench.memory import pss_mb, settled_mb
from bench.result import Metric


class Idle(Case):
    """The engine with no container: every process of it, whatever it is called."""

    heavy = True

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Look at its processes."""
        return {self.metrics[0].key: _engine_mb(contestant)}


class PerContainer(Case):
    """What the engine holds more for each of several idle containers, and the container's own process apart."""

    heavy = True

    def __init__(self, count: int, engine: Metric, own: Metric) -> None:
        """Look at `count` containers at once."""
        super().__init__(engine.key, engine, own)
        self._count = count

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Start them, look, and remove them."""
        names = [f"wlbench-idle-{number}" for number in range(self._count)]
        before_mb = _engine_mb(contestant)
        try:
            for name in names:
                contestant.output("run", "-d", "--name", name, BUSYBOX, "sleep", "3600")
            engine_mb = _engine_mb(contestant) - before_mb
            own_mb = pss_mb(contestant.cell.container_pids())
        finally:
            contestant.output("rm", "-f", *names)
        engine, own = (metric.key for metric in self.metrics)
        return {engine: engine_mb / self._count, own: own_mb / self._count}


def _engine_mb(contestant: Contestant) -> float:
    return settled_mb(lambda: pss_mb(contestant.cell.engine_pids()))
