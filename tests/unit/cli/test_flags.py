"""Flags, as the stock command line parses them."""

from __future__ import annotations

import pytest

from windlass.cli.errors import EXIT_ENGINE, UsageError
from windlass.cli.flags import HelpRequested, Values, integer, listing, parse_flags, switch, text

FLAGS = (
    switch("interactive", "", "i"),
    switch("tty", "", "t"),
    switch("proxy", "", default=True),
    text("name", ""),
    listing("env", "", "e"),
    integer("memory", "", "m"),
    integer("time", "", hidden=True, dest="timeout"),
    integer("timeout", ""),
)


def parse(*words: str, interspersed: bool = True) -> tuple[Values, list[str]]:
    return parse_flags(FLAGS, list(words), interspersed=interspersed)


def test_combined_shorthands_take_the_rest_as_value() -> None:
    values, rest = parse("-itm5", "x")
    assert (values.on("interactive"), values.on("tty"), values.number("memory"), rest) == (True, True, 5, ["x"])


@pytest.mark.parametrize("words", [["-e", "A"], ["-eA"], ["-e=A"], ["--env", "A"], ["--env=A"]])
def test_all_spellings_of_a_value(words: list[str]) -> None:
    assert parse(*words)[0].texts("env") == ["A"]


def test_lists_keep_their_order_and_defaults_stay() -> None:
    values, _ = parse("-e", "A", "--env=B")
    assert values.texts("env") == ["A", "B"]
    assert values.on("proxy") and values.text("name") == "" and not values.given("name")


def test_booleans_take_a_value_only_after_an_equals_sign() -> None:
    values, rest = parse("--proxy=false", "--tty", "false")
    assert (values.on("proxy"), values.on("tty"), rest) == (False, True, ["false"])


def test_another_spelling_stores_under_the_same_name() -> None:
    assert parse("--time", "3")[0].number("timeout") == 3


def test_flags_may_stand_between_arguments_unless_told_otherwise() -> None:
    assert parse("a", "-t", "b")[1] == ["a", "b"]
    values, rest = parse("a", "-t", interspersed=False)
    assert (rest, values.on("tty")) == (["a", "-t"], False)


def test_two_dashes_end_the_flags() -> None:
    assert parse("-t", "--", "-i")[1] == ["-i"]
    assert parse("-")[1] == ["-"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--foo"], "unknown flag: --foo"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["-tx"], "unknown shorthand flag: 'x' in -x"),
        (["--name"], "flag needs an argument: --name"),
        (["-te"], "flag needs an argument: 'e' in -te"),
        (["--=x"], "bad flag syntax: --=x"),
        (
            ["--tty=yes"],
            'invalid argument "yes" for "-t, --tty" flag: strconv.ParseBool: parsing "yes": invalid syntax',
        ),
        (["-m", "x"], 'invalid argument "x" for "-m, --memory" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (
            ["--timeout", "99999999999999999999"],
            'invalid argument "99999999999999999999" for "--timeout" flag: '
            'strconv.ParseInt: parsing "99999999999999999999": value out of range',
        ),
    ],
)
def test_mistakes_are_named_as_docker_names_them(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(*words)
    assert (caught.value.message, caught.value.status) == (message, EXIT_ENGINE)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["a", "--help"]])
def test_help_is_found_anywhere(words: list[str]) -> None:
    with pytest.raises(HelpRequested):
        parse(*words)
