"""Results as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bench.result import Result, Row

_GAP = "  "
_ABSENT = "-"


def table(results: Sequence[Result]) -> str:
    """Return one block of lines for each group of results that compare the same contestants.

    The columns are the medians, the ratio of the first contestant to each of the others, and its target.
    """
    blocks = [
        "\n".join(_aligned([_heading(contestants), *(_line(one, row) for one in group for row in one.rows)]))
        for contestants, group in _groups(results)
        if contestants
    ]
    return "\n\n".join(blocks)


def failures(results: Sequence[Result]) -> list[str]:
    """Return a line for each contestant that dropped out of a case."""
    return [f"{one.case}: {name}: {reason}" for one in results for name, reason in one.failures.items()]


def _groups(results: Sequence[Result]) -> list[tuple[tuple[str, ...], list[Result]]]:
    """Return the results by their contestants, in the order in which each kind first comes."""
    kinds = list(dict.fromkeys(one.contestants for one in results))
    ordered = sorted(results, key=lambda one: kinds.index(one.contestants))
    return [(kind, list(group)) for kind, group in groupby(ordered, key=lambda one: one.contestants)]


def _heading(contestants: tuple[str, ...]) -> list[str]:
    return ["", *contestants, *(f"/ {name}" for name in contestants[1:]), "target", ""]


def _line(result: Result, row: Row) -> list[str]:
    medians, unit, target = row.medians(), row.metric.unit, row.metric.target
    shown = [unit.show(medians[name]) if name in medians else _ABSENT for name in result.contestants]
    return [
        row.metric.title,
        *shown,
        *(_ABSENT if value is None else f"{value:.2f}" for value in result.ratios(row).values()),
        target.show(unit) if target else "",
        result.verdict(row) or "",
    ]


def _aligned(lines: list[list[str]]) -> list[str]:
    """Pad the cells: titles to the left, numbers to the right, targets and verdicts to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last_number = len(widths) - 3
    padded = [
        _GAP.join(
            cell.rjust(width) if 0 < index <= last_number else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return [padded[0], "-" * max(map(len, padded)), *padded[1:]]
