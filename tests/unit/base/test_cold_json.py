"""The small JSON codec agrees with the large one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.base import cold_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_round_trip(value: object) -> None:
    text = cold_json.dumps(value)
    assert json.loads(text) == value
    assert cold_json.loads(f" \n{json.dumps(value)}\t".encode()) == value


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"1 2", b"NaN", b'"\n"', b"{1:2}", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        cold_json.loads(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"", {1}])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        cold_json.dumps(value)


def test_mistakes_are_told_where_nobody_has_imported_json() -> None:
    script = "from windlass.base import cold_json\ntry: cold_json.loads(b'{')\nexcept ValueError as e: print(e)"
    source = str(Path(__file__).parents[3] / "src")
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {source!r})\n{script}"]
    assert "line 1 column 2" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
