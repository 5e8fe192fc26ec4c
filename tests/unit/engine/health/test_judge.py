"""Verdicts over probes."""

from __future__ import annotations

import pytest

from windlass.engine.health.judge import ended, judge, next_probe_in_ns
from windlass.engine.health.model import Health, HealthResult
from windlass.engine.health.probe import Probe, probe_of
from windlass.spec.container import ContainerConfig, HealthConfig

_S = 1_000_000_000
PROBE = Probe(("true",), interval_ns=10 * _S, retries=2, start_period_ns=60 * _S, start_interval_ns=_S)


def _result(exit_code: int, at_s: int = 0) -> HealthResult:
    return HealthResult(at_s * _S, at_s * _S + 1, exit_code, "")


def _after(*results: HealthResult) -> Health:
    health = Health()
    for result in results:
        health = judge(health, result, PROBE, 0)
    return health


def test_one_success_heals() -> None:
    ill = _after(_result(1, 100), _result(1, 110))
    assert (ill.status, ill.failing_streak) == ("unhealthy", 2)
    well = judge(ill, _result(0, 120), PROBE, 0)
    assert (well.status, well.failing_streak, len(well.log)) == ("healthy", 0, 3)


def test_a_healthy_container_bears_failures_up_to_its_retries() -> None:
    health = _after(_result(0, 100), _result(1, 110))
    assert (health.status, health.failing_streak) == ("healthy", 1)


def test_failures_in_the_start_period_do_not_count() -> None:
    health = _after(_result(1, 1), _result(1, 2), _result(1, 59))
    assert (health.status, health.failing_streak) == ("starting", 0)


def test_the_start_period_ends_with_the_first_success() -> None:
    health = _after(_result(0, 1), _result(1, 2), _result(-1, 3))
    assert (health.status, health.failing_streak) == ("unhealthy", 2)


def test_the_last_five_results_are_kept() -> None:
    health = _after(*(_result(0, second) for second in range(8)))
    assert [result.started_at_ns // _S for result in health.log] == [3, 4, 5, 6, 7]


def test_the_start_interval_holds_while_starting_in_the_start_period() -> None:
    assert next_probe_in_ns(Health(), PROBE, 0, 59 * _S) == _S
    assert next_probe_in_ns(Health(), PROBE, 0, 60 * _S) == 10 * _S
    assert next_probe_in_ns(Health("healthy"), PROBE, 0, 1) == 10 * _S


def test_an_ended_container_is_unhealthy() -> None:
    assert ended(None) is None
    assert ended(Health("healthy", 0, (_result(0),))) == Health("unhealthy", 0, (_result(0),))


@pytest.mark.parametrize(
    ("test", "shell", "argv"),
    [
        (None, None, None),
        ([], None, None),
        (["NONE"], None, None),
        (["CMD"], None, None),
        (["SOMETHING", "x"], None, None),
        (["CMD", "wget", "-q"], None, ("wget", "-q")),
        (["CMD-SHELL", "wget -q || exit 1"], None, ("/bin/sh", "-c", "wget -q || exit 1")),
        (["CMD-SHELL", "x"], ["/bin/bash", "-lc"], ("/bin/bash", "-lc", "x")),
    ],
)
def test_commands(test: list[str] | None, shell: list[str] | None, argv: tuple[str, ...] | None) -> None:
    probe = probe_of(ContainerConfig(healthcheck=HealthConfig(test=test), shell=shell))
    assert (probe.argv if probe is not None else None) == argv


def test_the_rhythm_has_defaults() -> None:
    probe = probe_of(ContainerConfig(healthcheck=HealthConfig(test=["CMD", "x"])))
    assert probe == Probe(("x",), 30 * _S, 30 * _S, 0, 5 * _S, 3)
    assert probe_of(ContainerConfig()) is None
