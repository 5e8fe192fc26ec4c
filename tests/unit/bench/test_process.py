"""Commands: what fails, and what is counted."""

from __future__ import annotations

import pytest
from bench.process import CommandError, output, timed, timed_reading

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def test_a_failure_has_the_status_and_the_last_words() -> None:
    with pytest.raises(CommandError, match=r"^exit status 125: no such image$"):
        timed(["sh", "-c", "echo no such image >&2; exit 125"], ENV)


def test_a_command_that_hangs_is_killed() -> None:
    with pytest.raises(CommandError, match="took too long"):
        timed(["sleep", "60"], ENV, timeout_s=0.01)


def test_output_is_what_was_written_to_standard_output() -> None:
    assert output(["sh", "-c", "echo ' out '; echo error >&2"], ENV) == "out"


def test_reading_counts_every_byte() -> None:
    argv = ["head", "-c", "300000", "/dev/zero"]
    assert timed_reading(argv, ENV, 300_000) > 0
    with pytest.raises(CommandError, match="wrote 300000 bytes instead of 300001"):
        timed_reading(argv, ENV, 300_001)
