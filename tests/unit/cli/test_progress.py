"""Progress reports."""

from __future__ import annotations

import json

import pytest

from windlass.cli.errors import CliError
from windlass.cli.progress import bar, show_progress


def lines(*reports: dict[str, object]) -> list[bytes]:
    return [json.dumps(report).encode() for report in reports]


def test_elsewhere_than_on_a_terminal_only_steps_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    show_progress(
        lines(
            {"status": "Pulling from library/x", "id": "latest"},
            {"status": "Downloading", "id": "a1", "progressDetail": {"current": 1, "total": 2}},
            {"status": "Pull complete", "id": "a1"},
            {"stream": "Loaded image: x\n"},
            {"status": "done"},
        ),
        1,
    )
    assert capfd.readouterr().out == ("latest: Pulling from library/x\na1: Pull complete\nLoaded image: x\ndone\n")


def test_quiet_shows_nothing_and_records_are_returned(capfd: pytest.CaptureFixture[str]) -> None:
    assert show_progress(lines({"status": "x"}, {"aux": {"ID": "1"}}), 1, quiet=True) == [{"ID": "1"}]
    assert capfd.readouterr().out == ""


def test_the_engines_error_ends_it() -> None:
    with pytest.raises(CliError, match="no space"):
        show_progress(lines({"errorDetail": {"message": "no space"}, "error": "no space"}), 1, quiet=True)


def test_bars() -> None:
    half: dict[str, object] = {"current": 500, "total": 1000}
    assert bar(half, 120) == "[" + "=" * 25 + ">" + " " * 25 + "]     500B/1kB"
    assert bar(half, 80) == "    500B/1kB"
    assert bar({"current": 1500}, 120) == "   1.5kB"
