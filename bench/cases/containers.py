"""Containers: run, exec, many at once."""

from __future__ import annotations

from collections.abc import Mapping

from bench.cases.case import Case
from bench.contestant import Contestant
from bench.materials import BUSYBOX, Materials
from bench.result import Metric


class Command(Case):
    """A single command line, the same every time, that leaves nothing behind."""

    def __init__(self, metric: Metric, *argv: str, contestants: tuple[str, ...] | None = None) -> None:
        """Measure `docker ARGV`."""
        super().__init__(metric.key, metric)
        self._argv = argv
        self.contestants = contestants or self.contestants

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Run it."""
        verb, *arguments = self._argv
        return {self.metrics[0].key: contestant.timed(verb, *arguments)}


class Exec(Case):
    """A command in a container that is already there."""

    _container = "wlbench-exec"

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        """Start the container."""
        contestant.output("run", "-d", "--name", self._container, BUSYBOX, "sleep", "3600")

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Run `true` in it."""
        return {self.metrics[0].key: contestant.timed("exec", self._container, "true")}

    def restore(self, contestant: Contestant) -> None:
        """Remove the container."""
        contestant.output("rm", "-f", self._container)


class Many(Case):
    """Containers started one after the other in the background, and all removed by one command."""

    heavy = True

    def __init__(self, count: int, total: Metric, starts: Metric, removal: Metric) -> None:
        """Measure `count` containers: both halves together, and each alone."""
        super().__init__(total.key, total, starts, removal)
        self._count = count

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        """Start and remove them."""
        names = [f"wlbench-many-{number}" for number in range(self._count)]
        try:
            starts_s = sum(contestant.timed("run", "-d", "--name", name, BUSYBOX, "sleep", "3600") for name in names)
        except BaseException:
            contestant.output("rm", "-f", *names)
            raise
        removal_s = contestant.timed("rm", "-f", *names)
        total, starts, removal = (metric.key for metric in self.metrics)
        return {total: starts_s + removal_s, starts: starts_s, removal: removal_s}
