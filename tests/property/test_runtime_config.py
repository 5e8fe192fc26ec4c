"""No document crashes the reader of `config.json`."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.config_cases import BIND, NS, ONE, VALID, changed

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.runtime.oci.validate import parse_config

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["/", "..", "bind", "idmap", "user", "a\0", "\ud800", "SCMP_ACT_NOTIFY", "SCHED_DEADLINE", "0-1"]),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just({"": ""}),
)
_everything = changed(
    *(
        change
        for name in ("time", "net devices", "sysctls", "listener", "memory", "cpu", "device rules", "unified")
        for change in VALID[name]
    ),
    *(
        change
        for name in ("personality", "memory policy", "hooks", "affinity", "deadline", "rlimits")
        for change in VALID[name]
    ),
    ("/linux/devices", [{"path": "/dev/f", "type": "c", "major": 1, "minor": 3}]),
    ("/linux/maskedPaths", ["/proc/kcore"]),
    ("/linux/uidMappings", ONE),
    ("/linux/gidMappings", ONE),
    (f"{NS}/6", {"type": "user"}),
    ("/mounts/1", {**BIND, "options": ["rbind", "idmap"], "uidMappings": ONE, "gidMappings": ONE}),
)


def _pointers(node: Any) -> list[list[Any]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [[], *([key, *rest] for key, value in inner for rest in _pointers(value))]


_ways = _pointers(_everything)[1:]


def test_everything_at_once_is_valid() -> None:
    parse_config(json.dumps(_everything).encode())


@given(st.lists(st.tuples(st.sampled_from(_ways), _leaves), min_size=1, max_size=3))
def test_any_change_is_read_or_refused(changes: list[tuple[list[Any], Any]]) -> None:
    config = copy.deepcopy(_everything)
    for way, value in changes:
        node: Any = config
        try:
            for token in way[:-1]:
                node = node[token]
            node[way[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue
    try:
        parse_config(json.dumps(config).encode())
    except (InvalidParameter, NotSupported) as error:
        assert error.message.startswith("config.json: ") and error.message.isprintable()


@given(st.binary(max_size=64))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidParameter, match=r"config\.json"):
        parse_config(data)
