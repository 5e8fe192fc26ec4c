"""Targets: bounds, verdicts and how numbers are shown."""

from __future__ import annotations

import pytest
from bench.target import Target, Unit, Verdict


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.00512, "5.12 ms"),
        (0.0431, "43.1 ms"),
        (0.4213, "421 ms"),
        (2.714, "2.71 s"),
        (16.7, "16.7 s"),
        (0, "0.00 ms"),
    ],
)
def test_seconds_have_three_digits(value: float, shown: str) -> None:
    assert Unit.SECONDS.show(value) == shown


def test_megabytes_are_never_scaled() -> None:
    assert [Unit.MEGABYTES.show(value) for value in (0.19, 75.7, 134.2)] == ["0.19 MB", "75.7 MB", "134 MB"]


def test_a_part_of_what_a_peer_took() -> None:
    target = Target("dockerd", 0.25)
    assert target.verdict("windlass", {"windlass": 0.1, "dockerd": 0.4}) is Verdict.OK
    assert target.verdict("windlass", {"windlass": 0.11, "dockerd": 0.4}) is Verdict.MISS
    assert target.show(Unit.SECONDS) == "<= 0.25 x dockerd"


def test_a_peer_and_a_margin() -> None:
    target = Target("windlass", margin=0.030)
    assert target.bound({"windlass": 0.050}) == pytest.approx(0.080)
    assert target.show(Unit.SECONDS) == "<= windlass + 30.0 ms"


def test_a_fixed_ceiling_needs_no_peer() -> None:
    target = Target(margin=70)
    assert target.verdict("windlass", {"windlass": 69.9}) is Verdict.OK
    assert target.show(Unit.MEGABYTES) == "<= 70.0 MB"


@pytest.mark.parametrize("medians", [{"windlass": 0.1}, {"dockerd": 0.4}, {}])
def test_nothing_is_claimed_of_what_was_not_measured(medians: dict[str, float]) -> None:
    assert Target("dockerd", 0.25).verdict("windlass", medians) is Verdict.UNKNOWN
