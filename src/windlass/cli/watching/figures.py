"""What each container uses, and how that went: figures of two samples made rates, the last ones kept."""

from __future__ import annotations

from windlass.cli.rows.stats import StatsRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HISTORY = 64


class Sample:
    """One reading of a container's counters, at `time_s` of a clock that only goes forward."""

    __slots__ = ("cpu_ns", "io_bytes", "memory_bytes", "memory_limit_bytes", "network_bytes", "pids", "time_s")

    def __init__(self, stats: dict[str, object], time_s: float) -> None:
        row = StatsRow(stats, "")
        self.time_s = time_s
        self.cpu_ns = row.number("cpu_stats", "cpu_usage", "total_usage")
        self.memory_bytes = row.memory_bytes
        self.memory_limit_bytes = row.number("memory_stats", "limit")
        self.network_bytes = row.network_bytes
        self.io_bytes = row.block_bytes
        self.pids = row.number("pids_stats", "current")


class Usage:
    """One running container: its name, its newest figures and the course of its processor time.

    Pairs are (in, out) in bytes per second: received and sent, read and written.
    """

    def __init__(self, identifier: str, name: str, image: str, status: str) -> None:
        self.identifier = identifier
        self.name = name
        self.image = image
        self.status = status
        self.cpu_percent = 0.0
        self.network = (0.0, 0.0)
        self.io = (0.0, 0.0)
        self.history: list[float] = []
        self.sample: Sample | None = None

    @property
    def memory_bytes(self) -> int:
        """Memory in use without the page cache that can be given back."""
        return self.sample.memory_bytes if self.sample is not None else 0

    @property
    def memory_percent(self) -> float:
        """Memory in use, in percent of the limit."""
        limit = self.sample.memory_limit_bytes if self.sample is not None else 0
        return self.memory_bytes / limit * 100 if limit else 0.0

    @property
    def pids(self) -> int:
        """Processes and threads."""
        return self.sample.pids if self.sample is not None else 0

    def take(self, sample: Sample) -> None:
        """Take the next sample; counters that fell begin anew, as after a restart."""
        before, self.sample = self.sample, sample
        if before is None or sample.time_s <= before.time_s:
            return
        span_s = sample.time_s - before.time_s
        self.cpu_percent = max(0, sample.cpu_ns - before.cpu_ns) / span_s / 1e7
        self.network = _rates(before.network_bytes, sample.network_bytes, span_s)
        self.io = _rates(before.io_bytes, sample.io_bytes, span_s)
        self.history = [*self.history[1 - HISTORY :], self.cpu_percent]


def _rates(before: tuple[int, int], after: tuple[int, int], span_s: float) -> tuple[float, float]:
    return max(0, after[0] - before[0]) / span_s, max(0, after[1] - before[1]) / span_s


SORTS: dict[str, Callable[[Usage], float]] = {
    "cpu": lambda usage: -usage.cpu_percent,
    "memory": lambda usage: -usage.memory_bytes,
    "network": lambda usage: -sum(usage.network),
    "io": lambda usage: -sum(usage.io),
    "pids": lambda usage: -usage.pids,
    "name": lambda usage: 0,
}


def ordered(usages: list[Usage], sort: str, *, reverse: bool) -> list[Usage]:
    """Return the containers by a figure, the largest first and equals by name."""
    result = sorted(usages, key=lambda usage: (SORTS[sort](usage), usage.name))
    return result[::-1] if reverse else result
