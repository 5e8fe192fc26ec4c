"""What a case is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from bench.contestant import Contestant
from bench.materials import Materials
from bench.result import Metric

ENGINES = ("windlass", "dockerd", "podman")


class Case(ABC):
    """Something to do to each contestant, in turn, several times."""

    heavy = False
    """Whether a turn takes seconds: there are fewer of them then, and none to warm up."""
    contestants: tuple[str, ...] = ENGINES
    """Whom it compares. The first is the one that the targets are for."""

    def __init__(self, name: str, *metrics: Metric) -> None:
        """Call it `name` on the command line; `metrics` are the numbers that each turn gives."""
        self.name = name
        self.metrics = metrics

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Do, once, what is not measured. Whatever this raises leaves the contestant out of the case."""
        return

    @abstractmethod
    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Do it once, and clean up after it; return a number per key of a metric."""

    def restore(self, contestant: Contestant) -> None:
        """Undo `prepare`."""
        return
