"""JSON through the accelerator gives what the standard library gives."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.client import json_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_round_trip_through_the_standard_library(value: object) -> None:
    assert json.loads(json_text.dumps(value)) == value
    assert json_text.loads(json.dumps(value)) == value
    assert json_text.loads(json.dumps(value, indent=2).encode()) == value


@pytest.mark.parametrize("text", ["", "{", "[1,", '{"a" 1}', "1 2", "nope", '"\\x"'])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        json_text.loads(text)


def test_what_json_cannot_say() -> None:
    with pytest.raises(TypeError):
        json_text.dumps({"a": object()})


def test_the_portable_way_agrees() -> None:
    loads, dumps = json_text._portable()
    value = {"a": [1, "ü", None]}
    assert dumps(value) == json_text.dumps(value)
    assert loads(dumps(value)) == value
