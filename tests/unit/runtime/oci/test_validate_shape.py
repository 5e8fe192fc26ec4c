"""The tables of `config.json` against the specification's facts: every member, its type, its words, its bounds.

`config_facts.txt` has a line for each member of the Linux part of the specification's schema: pointer (0 stands for any
element, * for any key), type (or pattern, or `word` and its choices), and whether it is required.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from windlass.runtime.oci import validate_schema as schema
from windlass.runtime.oci.validate_fault import Fault, clause
from windlass.runtime.oci.validate_shape import check_shape
from windlass.spec.runtime import RuntimeSpec

# Members for other systems, and values that the text of the specification allows beyond its schema.
_NOT_LINUX = {"/process/commandLine"}
_TYPES: dict[str, Any] = {"object": {}, "array": [], "string": "x", "boolean": True}
_BOUNDS = {
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "integer": (0, 0),
}
_PATTERNS = {
    "^RLIMIT_[A-Z]+$": "RLIMIT_NOFILE",
    r"^[0-9,\s-]*$": "0-3",
    "^[cbup]$": "c",
    "^[1-9][0-9]*[KMG]B$": "2MB",
    r"^MB:[^\n]*$": "MB:0=20",
}


class Facts:
    """The lines of the file."""

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self.words: dict[str, list[str]] = {}
        self.required: set[str] = set()
        for line in Path(__file__).with_name("config_facts.txt").read_text().splitlines():
            pointer, words = line.split()[0], line.split()[1:]
            pointer = pointer.rstrip("/")
            if words[-1] == "required":
                self.required.add(pointer)
                words.pop()
            self.types[pointer] = words[0]
            self.words[pointer] = words[1:]

    def minimal(self, pointer: str) -> Any:
        """The least valid value of a member."""
        kind = self.types[pointer]
        if kind == "object":
            required = [child for child in self.required if child.rpartition("/")[0] == pointer]
            return {child.rpartition("/")[2]: self.minimal(child) for child in required}
        if kind in _BOUNDS:
            return 0
        if kind == "word":
            return self.words[pointer][0]
        if self.words[pointer]:
            return _PATTERNS[self.words[pointer][0]]
        return _TYPES[kind]

    def document(self, pointer: str, value: Any) -> Any:
        """The least valid document with `value` at `pointer`."""
        parent, _, token = pointer.rpartition("/")
        if pointer == "":
            return value
        around = self.minimal(parent)
        if self.types[parent] == "array":
            around = [value]
        elif value is ...:
            around.pop(token, None)
        else:
            around[token] = value
        return self.document(parent, around)


FACTS = Facts()
POINTERS = sorted(FACTS.types.keys() - _NOT_LINUX)


def fault(document: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        check_shape(document, schema.CONFIG, "")
    return caught.value


def test_there_are_facts() -> None:
    assert len(POINTERS) == 282 and len(FACTS.required) > 30


@pytest.mark.parametrize("pointer", POINTERS)
def test_right_and_wrong_types(pointer: str) -> None:
    check_shape(FACTS.document(pointer, FACTS.minimal(pointer)), schema.CONFIG, "")
    wrong: list[Any] = [{}, [], "x", 1, 1.5, True]
    right = type(FACTS.minimal(pointer))
    for value in wrong:
        if type(value) is not right:
            found = fault(FACTS.document(pointer, value))
            assert found.pointer == pointer
            assert found.problem.startswith("expected ")


@pytest.mark.parametrize("pointer", [p for p in POINTERS if FACTS.types[p] in _BOUNDS])
def test_bounds(pointer: str) -> None:
    kind = FACTS.types[pointer]
    low, high = _BOUNDS[kind]
    for value in (low, high):
        check_shape(FACTS.document(pointer, value), schema.CONFIG, "")
    if kind != "integer":
        for value in (low - 1, high + 1, 10**4000):
            found = fault(FACTS.document(pointer, value))
            assert (found.pointer, "is not between" in found.problem) == (pointer, True)


@pytest.mark.parametrize("pointer", [p for p in POINTERS if FACTS.types[p] == "word"])
def test_words(pointer: str) -> None:
    for word in FACTS.words[pointer]:
        check_shape(FACTS.document(pointer, word), schema.CONFIG, "")
    found = fault(FACTS.document(pointer, "NO_SUCH_WORD"))
    assert found.pointer == pointer
    assert found.problem.startswith("unknown ") and '"NO_SUCH_WORD"' in found.problem


@pytest.mark.parametrize("pointer", sorted(FACTS.required))
def test_required(pointer: str) -> None:
    for absent in (..., None):
        found = fault(FACTS.document(pointer, absent))
        assert (found.pointer, found.problem) == (pointer, "is required")


@pytest.mark.parametrize("pointer", [p for p in POINTERS if FACTS.types[p] == "string"])
@pytest.mark.parametrize(("value", "problem"), [("a\0b", "NUL"), ("\udc80", "not Unicode")])
def test_text_that_nothing_can_hold(pointer: str, value: str, problem: str) -> None:
    found = fault(FACTS.document(pointer, value))
    assert (found.pointer, problem in found.problem or "unknown" in found.problem) == (pointer, True)


@pytest.mark.parametrize("pointer", POINTERS)
def test_every_member_has_its_clause(pointer: str) -> None:
    if pointer not in ("", "/linux"):
        assert ", " in clause(pointer)


def test_a_null_member_counts_as_absent_and_unknown_ones_are_ignored() -> None:
    document = {"ociVersion": "1.0.0", "process": None, "linux": {"sysctl": None, "newSection": {"x": 1}}, "x-y": [1]}
    check_shape(document, schema.CONFIG, "")


@pytest.mark.parametrize("pointer", POINTERS)
def test_the_structs_know_every_member(pointer: str) -> None:
    value = FACTS.minimal(pointer)
    document = FACTS.document(pointer, value)
    kind: Any = msgspec.inspect.type_info(RuntimeSpec)
    for token in pointer.split("/")[1:]:
        kind = _step(_not_none(kind), token)
    msgspec.convert(document, RuntimeSpec)


def _not_none(kind: Any) -> Any:
    if isinstance(kind, msgspec.inspect.UnionType):
        return next(part for part in kind.types if not isinstance(part, msgspec.inspect.NoneType))
    return kind


def _step(kind: Any, token: str) -> Any:
    if isinstance(kind, msgspec.inspect.StructType):
        return next(field.type for field in kind.fields if field.encode_name == token)
    if isinstance(kind, msgspec.inspect.ListType):
        return kind.item_type
    assert isinstance(kind, msgspec.inspect.DictType)
    return kind.value_type


def test_cold_and_warm_programs_read_the_same(tmp_path: Path) -> None:
    documents = [FACTS.document(pointer, FACTS.minimal(pointer)) for pointer in POINTERS]
    (tmp_path / "documents.json").write_bytes(msgspec.json.encode(documents))
    path = [entry for entry in sys.path if entry]
    program = f"""
import sys
sys.path[:] = {path!r}
import windlass.base.cold
from windlass.base import cold_json
from windlass.runtime.oci import validate
from windlass.spec.light import to_builtins
from windlass.spec.runtime import RuntimeSpec
documents = cold_json.loads(open({str(tmp_path / "documents.json")!r}, "rb").read())
read = [to_builtins(validate._typed(document, RuntimeSpec)) for document in documents]
assert "msgspec" not in sys.modules
print(cold_json.dumps(read))
"""
    cold = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True).stdout
    assert msgspec.json.decode(cold, type=list[RuntimeSpec]) == msgspec.convert(documents, list[RuntimeSpec])
