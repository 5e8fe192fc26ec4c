"""The runtime's command line: its grammar, and the values of its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from windlass.base.errors import InvalidParameter
from windlass.runtime.oci.arguments import Values, parse
from windlass.runtime.oci.commands import COMMANDS, GLOBAL_OPTIONS, command_options
from windlass.runtime.oci.events import duration
from windlass.runtime.oci.log import Log
from windlass.runtime.oci.signals import signal_number
from windlass.runtime.oci.update import resources_of, size

EXEC = command_options(COMMANDS["exec"])
UPDATE = command_options(COMMANDS["update"])


def test_options_in_every_spelling() -> None:
    words = ["--cwd", "/a", "-e", "A=1", "--env=B=2", "-tty", "--detach=false", "-u=0:0", "c", "sh", "-c", "--", "x"]
    values, rest = parse(EXEC, words, interspersed=False)
    assert values.text("cwd") == "/a" and values.all("env") == ["A=1", "B=2"]
    assert values.on("tty") and not values.on("detach") and values.given("detach")
    assert values.text("user") == "0:0"
    assert rest == ["c", "sh", "-c", "--", "x"]


def test_options_after_words_where_a_command_takes_them() -> None:
    delete = command_options(COMMANDS["delete"])
    values, rest = parse(delete, ["c", "--force"], interspersed=True)
    assert values.on("force") and rest == ["c"]
    values, rest = parse(delete, ["--", "--force"], interspersed=True)
    assert not values.on("force") and rest == ["--force"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--nope"], "flag provided but not defined: -nope"),
        (["--cwd"], "flag needs an argument: -cwd"),
        (["--tty=maybe"], 'invalid boolean value "maybe" for -tty'),
        (["--preserve-fds", "many"], 'invalid value "many" for flag -preserve-fds: not a number'),
    ],
)
def test_mistakes_are_told_in_the_words_of_runc(words: list[str], message: str) -> None:
    with pytest.raises(InvalidParameter) as told:
        parse(EXEC, words, interspersed=False)
    assert told.value.message == message


def test_every_command_has_its_code() -> None:
    for name, command in COMMANDS.items():
        module, _, function = command.function.partition(":")
        source = (Path(__file__).parents[4] / f"src/windlass/runtime/oci/{module}.py").read_text()
        assert f"\ndef {function}(call: Call) -> int:" in source, name
    assert parse(GLOBAL_OPTIONS, ["--root", "/r", "create", "--bundle", "b"], interspersed=False)[1][0] == "create"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9", 9),
        ("KILL", 9),
        ("SIGKILL", 9),
        ("sigterm", 15),
        ("RTMIN", 34),
        ("RTMIN+3", 37),
        ("SIGRTMAX-1", 63),
        ("0", 0),
    ],
)
def test_signals_by_number_and_name(text: str, number: int) -> None:
    assert signal_number(text) == number


@pytest.mark.parametrize("text", ["", "NOPE", "-9", "65", "100", "KILL+1", "RTMIN+99", "RTMIN+x", "_DFL", "_IGN"])
def test_what_is_no_signal(text: str) -> None:
    with pytest.raises(InvalidParameter, match="unknown signal"):
        signal_number(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-1", -1),
        ("512", 512),
        ("512b", 512),
        ("64k", 65536),
        ("1M", 1 << 20),
        ("2GiB", 2 << 30),
        ("1kb", 1024),
    ],
)
def test_sizes(text: str, number: int) -> None:
    assert size(text, "memory") == number


@pytest.mark.parametrize("text", ["", "k", "-2", "1x", "1.5g", "9" * 30, "1 k"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid size"):
        size(text, "memory")


def test_resources_have_what_was_said_and_no_more() -> None:
    words = [
        "--memory",
        "1m",
        "--memory-swap",
        "-1",
        "--cpu-quota",
        "-1",
        "--cpuset-cpus",
        "0",
        "--pids-limit",
        "5",
        "c",
    ]
    assert resources_of(parse(UPDATE, words, interspersed=True)[0]) == {
        "memory": {"limit": 1 << 20, "swap": -1},
        "cpu": {"quota": -1, "cpus": "0"},
        "pids": {"limit": 5},
    }
    assert resources_of(Values()) == {}


def test_durations() -> None:
    assert [duration(text) for text in ("5s", "500ms", "1m", "1.5h")] == [5, 0.5, 60, 5400]
    for text in ("", "5", "0s", "-1s", "s", "1d"):
        with pytest.raises(InvalidParameter):
            duration(text)


def test_logs_are_one_line_of_bounded_length(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    log = Log(str(path), "json")
    log.error("two\nlines \ud800 and " + "x" * 100_000)
    log.warn("careful")
    log.debug("not asked for")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["level"] for line in lines] == ["error", "warning"]
    assert lines[0]["msg"].startswith("two\nlines") and len(lines[0]["msg"]) < 40_000
    assert capfd.readouterr().err.startswith("two\nlines")
    Log(str(path), "text").warn('a "word"')
    assert path.read_text().splitlines()[2].endswith('level=warning msg="a \\"word\\""')
