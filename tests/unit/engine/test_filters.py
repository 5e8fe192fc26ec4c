"""Filters in both JSON forms, and what they match."""

from __future__ import annotations

import pytest

from windlass.engine.errors import InvalidFilter
from windlass.engine.filters import Filters, parse_filters


@pytest.mark.parametrize(
    "text",
    ['{"status":["running","paused"]}', '{"status":{"running":true,"paused":true}}'],
)
def test_both_forms(text: str) -> None:
    assert set(parse_filters(text).get("status")) == {"running", "paused"}


@pytest.mark.parametrize("text", ["", "{}", '{"status":[]}', '{"status":{}}'])
def test_nothing_asked_for(text: str) -> None:
    assert not parse_filters(text)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"a":"b"}', '{"a":[1]}', '{"a":{"b":"c"}}', "[" * 10_000])
def test_malformed(text: str) -> None:
    with pytest.raises(InvalidFilter, match=r"\Ainvalid filter\Z"):
        parse_filters(text)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidFilter, match=r"\Ainvalid filter 'colour'\Z"):
        Filters({"colour": ("red",)}).accept(("label",))


@pytest.mark.parametrize(
    ("values", "expected"), [((), None), (("1",), True), (("true", "1"), True), (("False",), False)]
)
def test_flags(values: tuple[str, ...], expected: bool | None) -> None:
    assert Filters({"dangling": values}).flag("dangling") is expected


@pytest.mark.parametrize("values", [("maybe",), ("true", "false")])
def test_flags_that_are_none(values: tuple[str, ...]) -> None:
    with pytest.raises(InvalidFilter, match=r"invalid filter 'dangling=\["):
        Filters({"dangling": values}).flag("dangling")


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [("web", True), ("we", True), ("^/web$", True), ("^web$", True), ("api", False), ("[", False)],
)
def test_names_match_as_regular_expressions(wanted: str, matches: bool) -> None:
    assert Filters({"name": (wanted,)}).match("name", "/web", "web") is matches


def test_all_labels_must_match_and_one_value_of_another_filter() -> None:
    labels = {"a": "1", "b": ""}
    assert Filters({"label": ("a", "b=")}).labels(labels)
    assert Filters({"label": ("a=1",)}).labels(labels)
    assert not Filters({"label": ("a", "c")}).labels(labels)
    assert not Filters({"label": ("a=2",)}).labels(labels)
    assert Filters({"status": ("x", "y")}).exact("status", "y")
    assert not Filters({"label!": ("a",)}).without_labels(labels)
