"""The numbers of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from bench.target import Target, Unit, Verdict


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table."""

    key: str
    title: str
    unit: Unit = Unit.SECONDS
    target: Target | None = None


@dataclass(slots=True)
class Row:
    """The numbers of one metric, by contestant."""

    metric: Metric
    samples: dict[str, list[float]]

    def medians(self) -> dict[str, float]:
        """Return the median of each contestant that has numbers."""
        return {name: median(values) for name, values in self.samples.items() if values}


@dataclass(slots=True)
class Result:
    """What one case gave: its rows, and why a contestant dropped out."""

    case: str
    subject: str
    """Whom the targets are for."""
    contestants: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: dict[str, str] = field(default_factory=dict)

    @classmethod
    def empty(cls, case: str, metrics: tuple[Metric, ...], subject: str, contestants: tuple[str, ...]) -> Result:
        """Return a result without numbers yet."""
        rows = tuple(Row(metric, {name: [] for name in contestants}) for metric in metrics)
        return cls(case, subject, contestants, rows)

    def ratios(self, row: Row) -> dict[str, float | None]:
        """Return what part of each other contestant's median the first one's is; None where either is missing or 0."""
        medians = row.medians()
        return {name: _ratio(self.contestants[0], name, medians) for name in self.contestants[1:]}

    def verdict(self, row: Row) -> Verdict | None:
        """Return how the subject stands to its target; None where there is no target."""
        target = row.metric.target
        return target.verdict(self.subject, row.medians()) if target else None


def _ratio(subject: str, reference: str, medians: dict[str, float]) -> float | None:
    if subject not in medians or not medians.get(reference):
        return None
    return medians[subject] / medians[reference]
