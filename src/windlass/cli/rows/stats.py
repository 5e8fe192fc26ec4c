"""Rows of `stats`.

Source: Engine API, ContainerStats, "cpu_percent" and "memory_usage" in the description.
"""

from __future__ import annotations

from windlass.cli.rows.row import Row, short_id
from windlass.cli.units import binary_size, human_size

UNKNOWN = "--"
SIZE_DIGITS = 3
COLUMNS = ("ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs")


class StatsRow(Row):
    """One sample of one container; `data` is empty while there is none."""

    TYPE_NAME = "*container.statsContext"
    __slots__ = ("container",)

    def __init__(self, data: dict[str, object], container: str, *, trunc: bool = True) -> None:
        super().__init__(data, trunc=trunc)
        self.container = container

    def table(self, *path: str) -> dict[str, object]:
        """A nested object, empty when missing."""
        value: object = self.data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def number(self, *path: str) -> int:
        """A nested number, 0 when missing."""
        value = self.table(*path[:-1]).get(path[-1])
        return value if isinstance(value, int) else 0

    @property
    def memory_bytes(self) -> int:
        """Memory in use without the page cache that can be given back."""
        usage = self.number("memory_stats", "usage")
        for name in ("total_inactive_file", "inactive_file"):  # control groups v1, v2
            cache = self.table("memory_stats", "stats").get(name)
            if isinstance(cache, int):
                return usage - cache if cache < usage else usage
        return usage

    @property
    def network_bytes(self) -> tuple[int, int]:
        """Bytes received and sent, over all interfaces."""
        names = self.table("networks")
        received = sum(self.number("networks", name, "rx_bytes") for name in names)
        return received, sum(self.number("networks", name, "tx_bytes") for name in names)

    @property
    def block_bytes(self) -> tuple[int, int]:
        """Bytes read from and written to block devices."""
        totals = {"r": 0, "w": 0}
        entries = self.table("blkio_stats").get("io_service_bytes_recursive")
        for entry in entries if isinstance(entries, list) else ():
            kind = str(entry.get("op", ""))[:1].lower()
            if kind in totals:
                totals[kind] += int(entry.get("value", 0))
        return totals["r"], totals["w"]

    @property
    def cpu_percent(self) -> float:
        """Processor time used since the sample before, in percent of one processor."""
        used = self.number("cpu_stats", "cpu_usage", "total_usage") - self.number(
            "precpu_stats", "cpu_usage", "total_usage"
        )
        passed = self.number("cpu_stats", "system_cpu_usage") - self.number("precpu_stats", "system_cpu_usage")
        if used <= 0 or passed <= 0:
            return 0.0
        per_cpu = self.table("cpu_stats", "cpu_usage").get("percpu_usage")
        count = self.number("cpu_stats", "online_cpus") or (len(per_cpu) if isinstance(per_cpu, list) else 1)
        return used / passed * count * 100


def _memory_percent(row: StatsRow) -> str:
    limit = row.number("memory_stats", "limit")
    return f"{row.memory_bytes / limit * 100 if limit else 0:.2f}%"


def _pair(sizes: tuple[int, int]) -> str:
    return " / ".join(human_size(size, SIZE_DIGITS) for size in sizes)


def _memory(row: StatsRow) -> str:
    return f"{binary_size(row.memory_bytes)} / {binary_size(row.number('memory_stats', 'limit'))}"


def _id(row: StatsRow) -> str:
    identifier = str(row.data.get("id") or row.container)
    return short_id(identifier) if row.trunc else identifier


StatsRow.FIELDS = {
    "Container": ("CONTAINER ID", lambda row: row.container),
    "ID": ("CONTAINER ID", _id),
    "Name": ("NAME", lambda row: str(row.data.get("name") or UNKNOWN).removeprefix("/")),
    "CPUPerc": ("CPU %", lambda row: f"{row.cpu_percent:.2f}%" if row.data else UNKNOWN),
    "MemUsage": ("MEM USAGE / LIMIT", lambda row: _memory(row) if row.data else f"{UNKNOWN} / {UNKNOWN}"),
    "MemPerc": ("MEM %", lambda row: _memory_percent(row) if row.data else UNKNOWN),
    "NetIO": ("NET I/O", lambda row: _pair(row.network_bytes) if row.data else UNKNOWN),
    "BlockIO": ("BLOCK I/O", lambda row: _pair(row.block_bytes) if row.data else UNKNOWN),
    "PIDs": ("PIDS", lambda row: str(row.number("pids_stats", "current")) if row.data else UNKNOWN),
}
