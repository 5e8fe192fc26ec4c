"""What the project wants of itself, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a number counts. The value is the name of the unit in reports."""

    SECONDS = "s"
    MEGABYTES = "MB"

    def show(self, value: float) -> str:
        """Return `value` with three significant digits and a unit that suits its size."""
        if self is Unit.SECONDS and value < 1:
            return f"{_three_digits(value * 1000)} ms"
        return f"{_three_digits(value)} {self.value}"


class Verdict(StrEnum):
    """How a median stands to its target."""

    OK = "ok"
    MISS = "miss"
    UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Target:
    """An upper bound: `factor` times what `reference` took, plus `margin` in the metric's own unit.

    Without a `reference` the margin alone is the bound.
    """

    reference: str | None = None
    factor: float = 1.0
    margin: float = 0.0

    def bound(self, medians: Mapping[str, float]) -> float | None:
        """Return the largest value that meets the target, or None where the reference was not measured."""
        if self.reference is None:
            return self.margin
        if self.reference not in medians:
            return None
        return self.factor * medians[self.reference] + self.margin

    def verdict(self, subject: str, medians: Mapping[str, float]) -> Verdict:
        """Compare the median of `subject` with the bound."""
        bound = self.bound(medians)
        if bound is None or subject not in medians:
            return Verdict.UNKNOWN
        return Verdict.OK if medians[subject] <= bound else Verdict.MISS

    def show(self, unit: Unit) -> str:
        """Return the bound in words, such as `<= 0.25 x dockerd`."""
        if self.reference is None:
            return f"<= {unit.show(self.margin)}"
        product = self.reference if self.factor == 1 else f"{self.factor:.3g} x {self.reference}"
        return f"<= {product}" + (f" + {unit.show(self.margin)}" if self.margin else "")


def _three_digits(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
