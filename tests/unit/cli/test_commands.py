"""The tree of commands, and how a command line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from windlass.cli.commands import GROUPS, TOP, VERBS, load, resolve, spellings
from windlass.cli.main import run


@pytest.mark.parametrize("path", VERBS)
def test_every_verb_loads_and_has_distinct_flags(path: str) -> None:
    command = load(path)
    names = [flag.name for flag in command.flags]
    shorts = [flag.short for flag in command.flags if flag.short]
    assert len(set(names)) == len(names) and len(set(shorts)) == len(shorts)


def test_every_short_spelling_leads_to_a_verb() -> None:
    assert set(TOP.values()) <= set(VERBS)


def test_spellings_of_one_verb() -> None:
    assert spellings("container ls") == ["container ls", "container list", "container ps", "ps"]
    assert resolve(["container", "list", "-a"]) == ("container ls", "container ls", ["-a"])
    assert resolve(["ps", "-a"]) == ("container ls", "ps", ["-a"])
    assert resolve(["image", "nonsense"]) == ("image", "image", ["nonsense"])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["foo"], 1, "windlass: unknown command: windlass foo\n\nRun 'windlass --help' for more information\n"),
        (
            ["container", "foo"],
            1,
            "windlass: unknown command: windlass container foo\n\nUsage:  windlass container\n\n"
            "Run 'windlass container --help' for more information\n",
        ),
        (
            ["--foo", "ps"],
            125,
            "unknown flag: --foo\n\nUsage:  windlass [OPTIONS] COMMAND [ARG...]\n\n"
            "Run 'windlass --help' for more information\n",
        ),
        (
            ["run"],
            1,
            "windlass: 'windlass run' requires at least 1 argument\n\n"
            "Usage:  windlass run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
            "See 'windlass run --help' for more information\n",
        ),
        (
            ["run", "--foo", "x"],
            125,
            "unknown flag: --foo\n\nUsage:  windlass run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
            "Run 'windlass run --help' for more information\n",
        ),
        (
            ["tag", "a"],
            1,
            "windlass: 'windlass tag' requires 2 arguments\n\n"
            "Usage:  windlass tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\n\n"
            "Run 'windlass tag --help' for more information\n",
        ),
        (
            ["container", "list", "--foo"],
            125,
            "unknown flag: --foo\n\nUsage:  windlass container ls [OPTIONS]\n\n"
            "Run 'windlass container ls --help' for more information\n",
        ),
        (["--log-level", "loud", "ps"], 1, "Unable to parse logging level: loud\n"),
        (["help", "foo"], 1, "unknown help topic: foo\n"),
        (["-H", "a", "-H", "b", "ps"], 1, "Specify only one -H\n"),
        (
            ["-H", "foo://x", "ps"],
            1,
            "Failed to initialize: unable to resolve docker endpoint: invalid bind address format: foo://x\n",
        ),
    ],
)
def test_wrong_words(words: list[str], status: int, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == status
    assert capfd.readouterr().err == message


def test_nobody_listens(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/absent.sock"
    refusal = f"Cannot connect to the Docker daemon at {host}. Is the docker daemon running?\n"
    assert run(["-H", host, "ps"]) == 1
    said = capfd.readouterr().err
    assert said.startswith(refusal) and "-H" in said.removeprefix(refusal)
    assert run(["-H", host, "run", "img"]) == 125
    said = capfd.readouterr().err
    assert said.startswith(f"windlass: {refusal}") and said.endswith("Run 'windlass run --help' for more information\n")


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_shows_its_help(group: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([group]) == 0
    assert capfd.readouterr().out.startswith(f"Usage:  windlass {group} COMMAND\n")


def test_the_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capfd.readouterr().out.startswith("Windlass version ")
