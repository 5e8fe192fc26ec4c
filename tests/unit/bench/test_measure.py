"""Turns, with contestants that only remember."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from bench.cases import CASES, Case
from bench.cell import Cell
from bench.contestant import Contestant
from bench.materials import Materials
from bench.measure import Measurement, turns
from bench.process import CommandError
from bench.result import Metric

MATERIALS = Materials(Path("/nowhere"), Path("/nowhere"), Path("/nowhere"), None)


class Named(Contestant):
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def cell(self) -> Cell:
        raise NotImplementedError

    @property
    def environment(self) -> dict[str, str]:
        return {}

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [verb, *arguments]


class Diary(Case):
    """A case that writes down what is asked of it, and fails for one contestant from its nth turn on."""

    def __init__(self, failing: str = "", from_turn: int = 0) -> None:
        super().__init__("diary", Metric("diary", "diary"))
        self.entries: list[str] = []
        self._failing, self._left = failing, from_turn

    def prepare(self, contestant: Contestant, materials: Materials) -> None:
        self._note("prepare", contestant)

    def turn(self, contestant: Contestant, materials: Materials) -> Mapping[str, float]:
        self._note("turn", contestant)
        return {"diary": float(len(self.entries))}

    def restore(self, contestant: Contestant) -> None:
        self.entries.append(f"restore {contestant.name}")

    def _note(self, what: str, contestant: Contestant) -> None:
        self.entries.append(f"{what} {contestant.name}")
        if contestant.name == self._failing:
            if self._left == 0:
                raise CommandError(["docker"], "exit status 1", "no")
            self._left -= 1


def run(case: Case, repeat: int, *names: str) -> Measurement:
    measurement = Measurement(case, [Named(name) for name in names], MATERIALS)
    measurement.run(repeat, lambda line: None)
    return measurement


def test_contestants_take_turns_after_one_to_warm_up() -> None:
    case = Diary()
    measurement = run(case, 2, "dockerd", "windlass")
    both = ["windlass", "dockerd"]
    assert case.entries == [
        f"{what} {name}" for what in ("prepare", "turn", "turn", "turn", "restore") for name in both
    ]
    assert measurement.result.rows[0].samples == {"windlass": [5.0, 7.0], "dockerd": [6.0, 8.0]}


def test_a_heavy_case_has_fewer_turns_and_no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sync", lambda: None)
    case = Diary()
    case.heavy = True
    assert [turns(case, repeat) for repeat in (1, 3, 9)] == [1, 1, 3]
    assert len(run(case, 9, "windlass").result.rows[0].samples["windlass"]) == 3


def test_whoever_fails_a_turn_has_no_more_and_is_restored() -> None:
    case = Diary("dockerd", from_turn=2)
    result = run(case, 3, "windlass", "dockerd").result
    assert result.failures == {"dockerd": "exit status 1: no"}
    assert [len(result.rows[0].samples[name]) for name in ("windlass", "dockerd")] == [3, 0]
    assert case.entries.count("turn dockerd") == 2
    assert "restore dockerd" in case.entries


def test_whoever_cannot_be_prepared_has_no_turn_and_no_restore() -> None:
    case = Diary("dockerd")
    run(case, 1, "windlass", "dockerd")
    assert [entry for entry in case.entries if entry.endswith("dockerd")] == ["prepare dockerd"]


def test_contestants_of_other_cases_stay_out() -> None:
    assert run(Diary(), 1, "windlass CLI", "windlass").result.contestants == ("windlass",)


def test_names_and_keys_of_the_catalogue_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    keys = [metric.key for case in CASES for metric in case.metrics]
    assert len(set(keys)) == len(keys)
