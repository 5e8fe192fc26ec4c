"""STATUS as `docker ps` shows it."""

from __future__ import annotations

import pytest

from windlass.engine.containers.model import State
from windlass.engine.containers.signals import parse_signal
from windlass.engine.containers.status import human_duration, status_text

_S = 1_000_000_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


def test_states() -> None:
    now = 1000 * _S
    assert status_text(State(), now) == "Created"
    assert status_text(State("running", started_at_ns=now - 5 * _S), now) == "Up 5 seconds"
    assert status_text(State("paused", started_at_ns=now - 5 * _S), now) == "Up 5 seconds (Paused)"
    assert (
        status_text(State("exited", exit_code=3, finished_at_ns=now - 60 * _S), now) == "Exited (3) About a minute ago"
    )
    assert (
        status_text(State("restarting", exit_code=1, finished_at_ns=now), now)
        == "Restarting (1) Less than a second ago"
    )


@pytest.mark.parametrize(
    ("text", "number"), [("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("9", 9), ("RTMIN+3", 37), ("SIGRTMAX", 64)]
)
def test_signals(text: str, number: int) -> None:
    assert parse_signal(text) == number
