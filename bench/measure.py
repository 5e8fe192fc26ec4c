"""Turns: every contestant once, then all of them again, so that a change of the machine's mood hits all alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench.cases import Case
from bench.contestant import Contestant
from bench.materials import MaterialError, Materials
from bench.process import CommandError
from bench.result import Result

# A heavy case has this part of the turns of a light one.
_HEAVY_SHARE = 3

Progress = Callable[[str], None]


def turns(case: Case, repeat: int) -> int:
    """Return how many turns each contestant has: `repeat`, or a third of it, at least one, in a heavy case."""
    return max(1, repeat // _HEAVY_SHARE) if case.heavy else repeat


class Measurement:
    """One case. Its `result` fills turn by turn, so that an interrupted one keeps what it has.

    A contestant that fails is named in the result with the reason, and has no further turns.
    """

    def __init__(self, case: Case, contestants: Sequence[Contestant], materials: Materials) -> None:
        """Measure `case` for those `contestants` that it compares, which have all started."""
        self._case = case
        self._materials = materials
        self._active = [one for name in case.contestants for one in contestants if one.name == name]
        names = tuple(one.name for one in self._active)
        self.result = Result.empty(case.name, case.metrics, case.contestants[0], names)

    def run(self, repeat: int, progress: Progress) -> None:
        """Prepare, take the turns, restore."""
        for one in list(self._active):
            with self._guarded(one):
                self._case.prepare(one, self._materials)
        prepared = list(self._active)
        try:
            self._take_turns(repeat, progress)
        finally:
            for one in prepared:
                with self._guarded(one):
                    self._case.restore(one)

    def _take_turns(self, repeat: int, progress: Progress) -> None:
        count = turns(self._case, repeat)
        # The first turn of a light case finds cold caches and is not counted.
        for number in range(1 if self._case.heavy else 0, count + 1):
            for one in list(self._active):
                with self._guarded(one):
                    values = self._turn(one)
                    shown = "  ".join(row.metric.unit.show(values[row.metric.key]) for row in self.result.rows)
                    place = f"{number}/{count}" if number else "warm-up"
                    progress(f"{self._case.name} {place} {one.name}: {shown}")
                    if number > 0:
                        self._keep(one, values)

    def _turn(self, contestant: Contestant) -> dict[str, float]:
        if self._case.heavy:
            # What an earlier turn has left to be written is not charged to this one.
            os.sync()
        return dict(self._case.turn(contestant, self._materials))

    def _keep(self, contestant: Contestant, values: dict[str, float]) -> None:
        for row in self.result.rows:
            row.samples[contestant.name].append(values[row.metric.key])

    @contextmanager
    def _guarded(self, contestant: Contestant) -> Iterator[None]:
        """Take a contestant that fails out of the case, with the first reason."""
        try:
            yield
        except (CommandError, MaterialError) as error:
            self.result.failures.setdefault(contestant.name, str(error))
            if contestant in self._active:
                self._active.remove(contestant)
