"""The two bases of value types must agree: the same classes, loaded with and without msgspec."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec
import pytest

from windlass.spec import light

SOURCE = """
from __future__ import annotations
from windlass.spec.struct import Struct

class Range(Struct, frozen=True, array_like=True):
    inside: int
    size: int = 1

class Base(Struct, frozen=True, rename="camel", omit_defaults=True):
    the_id: str

class Inner(Base, frozen=True):
    big_number: int | None = None
    is_set: bool = False
    ranges: list[Range] = []

class Named(Struct, frozen=True, omit_defaults=True, rename={"of_oom": "ofOOM"}):
    of_oom: int = 0
    inner: Inner | None = None
    table: dict[str, Inner] = {}
    pairs: list[tuple[str, int, str | None]] = []

class Op(Struct, frozen=True, tag_field="op", tag=str.lower, omit_defaults=True):
    pass

class First(Op, frozen=True):
    program: bytes = b""

class Second(Op, frozen=True):
    inner: Inner

class Plan(Struct, frozen=True, omit_defaults=True):
    ops: list[First | Second]
"""

VALUES: list[tuple[str, Any]] = [
    ("Named", {}),
    ("Named", {"ofOOM": 3, "unknown": [1]}),
    ("Named", {"inner": {"theId": "a", "bigNumber": 1 << 40, "isSet": True, "ranges": [[1, 2], [3]]}}),
    ("Named", {"table": {"a/b": {"theId": "x"}}, "pairs": [["a", 1, None], ["b", 2, "c"]]}),
    ("Plan", {"ops": [{"op": "first"}, {"op": "second", "inner": {"theId": "x"}}]}),
]

MISTAKES: list[tuple[str, Any, str]] = [
    ("Named", [], "/"),
    ("Named", {"ofOOM": "3"}, "/ofOOM"),
    ("Named", {"ofOOM": True}, "/ofOOM"),
    ("Named", {"ofOOM": 1.5}, "/ofOOM"),
    ("Named", {"inner": {}}, "/inner/theId"),
    ("Named", {"table": {"a/b": {"theId": 1}}}, "/table/a~1b/theId"),
    ("Named", {"pairs": [["a", 1, None], ["b", 2]]}, "/pairs/1"),
    ("Plan", {"ops": [{"op": "third"}]}, "/ops/0"),
    ("Plan", {"ops": {}}, "/ops"),
]


def _load(name: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(SOURCE, name, "exec", dont_inherit=True), module.__dict__)
    return module


@pytest.fixture(scope="module")
def with_msgspec() -> Iterator[ModuleType]:
    yield _load("struct_sample_msgspec")
    del sys.modules["struct_sample_msgspec"]


@pytest.fixture(scope="module")
def without_msgspec() -> Iterator[ModuleType]:
    import windlass.spec.struct as chooser

    sys.modules["windlass.base.cold"] = ModuleType("windlass.base.cold")
    try:
        importlib.reload(chooser)
        assert chooser.Struct is light.Struct
        yield _load("struct_sample_light")
    finally:
        del sys.modules["windlass.base.cold"], sys.modules["struct_sample_light"]
        importlib.reload(chooser)
        assert chooser.Struct is msgspec.Struct


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_the_same_value_comes_and_goes(
    with_msgspec: ModuleType, without_msgspec: ModuleType, kind: str, value: Any
) -> None:
    full = msgspec.convert(value, getattr(with_msgspec, kind))
    small = light.convert(value, getattr(without_msgspec, kind))
    assert repr(small) == repr(full)
    assert light.to_builtins(small) == msgspec.to_builtins(full)
    assert light.convert(light.to_builtins(small), type(small)) == small


@pytest.mark.parametrize(("kind", "value", "pointer"), MISTAKES)
def test_a_mistake_is_named_by_its_place(
    with_msgspec: ModuleType, without_msgspec: ModuleType, kind: str, value: Any, pointer: str
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, getattr(with_msgspec, kind))
    with pytest.raises(light.Mismatch) as caught:
        light.convert(value, getattr(without_msgspec, kind))
    assert (caught.value.pointer or "/") == pointer
    assert str(caught.value).startswith(pointer)


def test_null_is_absence(without_msgspec: ModuleType) -> None:
    assert light.convert({"inner": None, "table": None}, without_msgspec.Named) == without_msgspec.Named()


def test_values_are_frozen_and_share_no_default(without_msgspec: ModuleType) -> None:
    one, other = without_msgspec.Inner("a"), without_msgspec.Inner("a")
    assert one == other
    assert one.ranges is not other.ranges
    with pytest.raises(AttributeError):
        one.the_id = "b"


def test_construction_is_checked(without_msgspec: ModuleType) -> None:
    for arguments, named in ((("a", 1, True, [], 5), {}), (("a",), {"the_id": "b"}), ((), {}), (("a",), {"nope": 1})):
        with pytest.raises(TypeError):
            without_msgspec.Inner(*arguments, **named)


def test_replace(without_msgspec: ModuleType) -> None:
    value = without_msgspec.Inner("a", 1)
    assert light.replace(value, big_number=2) == without_msgspec.Inner("a", 2)
    match light.replace(value, the_id="b"):
        case without_msgspec.Inner("b", 1):
            pass
        case other:
            pytest.fail(f"not matched: {other}")
