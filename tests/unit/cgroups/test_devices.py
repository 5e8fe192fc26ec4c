"""What a sequence of device rules comes to, and the program that enforces it."""

from __future__ import annotations

import struct

import pytest

from windlass.base.errors import InvalidParameter
from windlass.cgroups.device_program import device_program
from windlass.cgroups.devices import (
    DEFAULT_ALLOWED,
    DeviceRules,
    parse_v1_list,
    reduce_rules,
    v1_commands,
    v1_transition,
)
from windlass.spec.resources import LinuxDeviceCgroup as Rule

_DENY_ALL = Rule(False, access="rwm")
_DEFAULTS = len(DEFAULT_ALLOWED)


def test_denied_by_default() -> None:
    rules = reduce_rules([_DENY_ALL])
    assert not rules.default_allow
    assert len(rules.exceptions) == _DEFAULTS
    assert v1_commands(rules)[0] == ("devices.deny", "a")
    assert ("devices.allow", "c 136:* rwm") in v1_commands(rules)


def test_accesses_to_one_device_add_up() -> None:
    rules = reduce_rules([_DENY_ALL, Rule(True, "c", 10, 1, "r"), Rule(True, "c", 10, 1, "w")])
    assert dict(rules.exceptions)[("c", 10, 1)] == "rw"


def test_a_denial_takes_back_what_was_allowed() -> None:
    rules = reduce_rules([_DENY_ALL, Rule(True, "b", 8, 0, "rwm"), Rule(False, "b", 8, 0, "w")])
    assert dict(rules.exceptions)[("b", 8, 0)] == "rm"


def test_everything_allowed_needs_no_command() -> None:
    rules = reduce_rules([Rule(True, access="rwm")])
    assert rules.allows_everything
    assert v1_commands(rules) == ()


def test_a_wildcard_cannot_be_punctured() -> None:
    with pytest.raises(InvalidParameter, match="cannot punch hole"):
        reduce_rules([_DENY_ALL, Rule(True, "c", 10, None, "rwm"), Rule(False, "c", 10, 229, "rwm")])


def test_the_default_rules_deny_fuse_without_effect() -> None:
    assert reduce_rules([_DENY_ALL, Rule(False, "c", 10, 229, "rwm")]) == reduce_rules([_DENY_ALL])


def test_a_rule_without_access_says_nothing() -> None:
    assert reduce_rules([_DENY_ALL, Rule(True, "c", 10, 1)]) == reduce_rules([_DENY_ALL])


# --- from one set of rules to another --------------------------------------------------------------------


def _kernel(rules: DeviceRules, commands: tuple[tuple[str, str], ...]) -> list[dict[tuple[str, int, int], set[str]]]:
    """What a v1 group that denies by default allows, before and after each command."""
    allowed = {key: set(access) for key, access in rules.exceptions}
    states = [{key: set(access) for key, access in allowed.items()}]
    for file, text in commands:
        ((key, access),) = parse_v1_list(text).exceptions
        change = allowed.setdefault(key, set())
        change.update(access) if file == "devices.allow" else change.difference_update(access)
        states.append({key: set(access) for key, access in allowed.items() if access})
    return states


def test_a_transition_has_no_window() -> None:
    old = reduce_rules([_DENY_ALL, Rule(True, "c", 10, 1, "rw"), Rule(True, "b", 8, None, "r")])
    new = reduce_rules([_DENY_ALL, Rule(True, "c", 10, 1, "wm"), Rule(True, "b", 8, 1, "rw")])
    states = _kernel(old, v1_transition(old, new))
    assert states[-1] == {key: set(access) for key, access in new.exceptions}
    before, after = states[0], states[-1]
    for state in states:
        for key in {*before, *after, *state}:
            both, either = (
                before.get(key, set()) & after.get(key, set()),
                before.get(key, set()) | after.get(key, set()),
            )
            assert both <= state.get(key, set()) <= either


def test_no_change_is_no_command() -> None:
    rules = reduce_rules([_DENY_ALL])
    assert v1_transition(rules, rules) == ()


def test_lists_of_the_kernel() -> None:
    text = "c 1:3 rwm\nb *:* m\nc 136:* r\nc 136:* w\n"
    expected = ((("c", 1, 3), "rwm"), (("b", -1, -1), "m"), (("c", 136, -1), "rw"))
    assert parse_v1_list(text) == DeviceRules(False, expected)
    assert parse_v1_list("a *:* rwm\n") == DeviceRules(True)


# --- the program, run by a small interpreter of the instructions it uses -----------------------------


def _run(program: bytes, kind: str, access: str, major: int, minor: int) -> bool:
    mask = sum({"m": 1, "r": 2, "w": 4}[letter] for letter in access)
    context = {0: mask << 16 | {"b": 1, "c": 2}[kind], 4: major, 8: minor}
    registers = [0] * 11
    code = [struct.unpack("<BBhi", program[i : i + 8]) for i in range(0, len(program), 8)]
    position = 0
    while True:
        opcode, both, offset, value = code[position]
        dst, src = both & 15, both >> 4
        position += 1
        match opcode:
            case 0x61:
                registers[dst] = context[offset]
            case 0x54:
                registers[dst] &= value
            case 0x74:
                registers[dst] >>= value
            case 0xBF:
                registers[dst] = registers[src]
            case 0xB7:
                registers[dst] = value
            case 0x55:
                position += offset if registers[dst] != value else 0
            case 0x15:
                position += offset if registers[dst] == value else 0
            case 0x5D:
                position += offset if registers[dst] != registers[src] else 0
            case 0x95:
                return bool(registers[0])
            case _:
                raise AssertionError(f"unexpected instruction {opcode:#x}")


@pytest.mark.parametrize(
    ("kind", "access", "major", "minor", "allowed"),
    [
        ("c", "r", 1, 3, True),
        ("c", "rwm", 1, 3, True),
        ("c", "rw", 1, 11, False),
        ("c", "m", 1, 11, True),
        ("c", "mr", 1, 11, False),
        ("b", "m", 8, 0, True),
        ("b", "r", 8, 0, False),
        ("c", "w", 136, 77, True),
        ("c", "r", 10, 1, True),
        ("c", "rw", 10, 1, False),
    ],
)
def test_program_of_a_default_container(kind: str, access: str, major: int, minor: int, allowed: bool) -> None:
    program = device_program(reduce_rules([_DENY_ALL, Rule(True, "c", 10, 1, "r")]))
    assert _run(program, kind, access, major, minor) is allowed


@pytest.mark.parametrize(
    ("kind", "access", "minor", "allowed"),
    [("c", "r", 1, True), ("c", "w", 1, False), ("c", "rw", 1, False), ("c", "w", 2, True), ("b", "w", 1, True)],
)
def test_program_of_exceptions_from_everything(kind: str, access: str, minor: int, allowed: bool) -> None:
    program = device_program(DeviceRules(True, ((("c", 10, 1), "w"),)))
    assert _run(program, kind, access, 10, minor) is allowed
