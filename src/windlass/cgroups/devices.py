"""Device rules: what a sequence of allows and denies comes to.

Both drivers start from the same reduced state: v1 writes it as devices.deny and devices.allow, v2 compiles it to a BPF
program.

Source: Documentation/admin-guide/cgroup-v1/devices.rst; runtime-spec config-linux.md, "Allowed Device list".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.spec import struct
from windlass.spec.resources import LinuxDeviceCgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

WILDCARD = -1
DeviceKey = tuple[str, int, int]

# What every container has, whatever its rules say: making nodes (not opening them), and the default devices.
DEFAULT_ALLOWED: tuple[LinuxDeviceCgroup, ...] = (
    LinuxDeviceCgroup(True, "c", WILDCARD, WILDCARD, "m"),
    LinuxDeviceCgroup(True, "b", WILDCARD, WILDCARD, "m"),
    LinuxDeviceCgroup(True, "c", 1, 3, "rwm"),  # null
    LinuxDeviceCgroup(True, "c", 1, 8, "rwm"),  # random
    LinuxDeviceCgroup(True, "c", 1, 7, "rwm"),  # full
    LinuxDeviceCgroup(True, "c", 5, 0, "rwm"),  # tty
    LinuxDeviceCgroup(True, "c", 1, 5, "rwm"),  # zero
    LinuxDeviceCgroup(True, "c", 1, 9, "rwm"),  # urandom
    LinuxDeviceCgroup(True, "c", 136, WILDCARD, "rwm"),  # pts
    LinuxDeviceCgroup(True, "c", 5, 2, "rwm"),  # ptmx
)


class DeviceRules(struct.Struct, frozen=True):
    """A default and the exceptions from it: (type, major, minor) with accesses out of `rwm`, in a fixed order."""

    default_allow: bool
    exceptions: tuple[tuple[DeviceKey, str], ...] = ()

    @property
    def allows_everything(self) -> bool:
        """True for privileged containers: there is nothing to enforce."""
        return self.default_allow and not self.exceptions


def reduce_rules(rules: Iterable[LinuxDeviceCgroup]) -> DeviceRules:
    """Apply `rules` and then the defaults in order, as the kernel's v1 controller would.

    Raises:
        InvalidParameter: a rule that cannot be honoured: a denial of a part of what a wildcard allows.
    """
    default_allow = False
    exceptions: dict[DeviceKey, str] = {}
    for rule in (*rules, *DEFAULT_ALLOWED):
        if rule.type in ("", "a"):
            default_allow = rule.allow
            exceptions.clear()
            continue
        if not rule.access:
            # No access is allowed or denied by it.
            continue
        key = _key(rule)
        if rule.allow is not default_allow:
            exceptions[key] = _union(exceptions.get(key, ""), rule.access)
        else:
            _withdraw(exceptions, key, rule.access)
    return DeviceRules(default_allow, tuple(exceptions.items()))


def v1_commands(rules: DeviceRules) -> tuple[tuple[str, str], ...]:
    """List (file, text) to write into a fresh v1 group, whose parent allows everything."""
    if rules.allows_everything:
        return ()
    commands = [] if rules.default_allow else [("devices.deny", "a")]
    file = "devices.deny" if rules.default_allow else "devices.allow"
    commands += [(file, format_rule(key, access)) for key, access in rules.exceptions]
    return tuple(commands)


def v1_transition(present: DeviceRules, wanted: DeviceRules) -> tuple[tuple[str, str], ...]:
    """List (file, text) that lead from `present` to `wanted`, both denying by default, without a moment in between that
    allows more than the two together or less than both have in common.
    """
    old, new = dict(present.exceptions), dict(wanted.exceptions)
    more = [(key, _without(access, old.get(key, ""))) for key, access in new.items()]
    less = [(key, _without(access, new.get(key, ""))) for key, access in old.items()]
    return (
        *(("devices.allow", format_rule(key, access)) for key, access in more if access),
        *(("devices.deny", format_rule(key, access)) for key, access in less if access),
    )


def parse_v1_list(text: str) -> DeviceRules:
    """Read devices.list. Of a group that allows by default it shows that only, and not the denials."""
    exceptions: dict[DeviceKey, str] = {}
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        numbers, _, access = rest.partition(" ")
        if kind == "a":
            return DeviceRules(True)
        major, _, minor = numbers.partition(":")
        key = (kind, _number(major), _number(minor))
        exceptions[key] = _union(exceptions.get(key, ""), access)
    return DeviceRules(False, tuple(exceptions.items()))


def _number(text: str) -> int:
    return WILDCARD if text == "*" else int(text)


def _without(access: str, less: str) -> str:
    return "".join(letter for letter in access if letter not in less)


def format_rule(key: DeviceKey, access: str) -> str:
    """Write one rule as the v1 controller and Docker do: `c 1:3 rwm`, `b *:* m`."""
    kind, major, minor = key
    numbers = ":".join("*" if number == WILDCARD else str(number) for number in (major, minor))
    return f"{kind} {numbers} {access}"


def _key(rule: LinuxDeviceCgroup) -> DeviceKey:
    return (
        rule.type,
        WILDCARD if rule.major is None else rule.major,
        WILDCARD if rule.minor is None else rule.minor,
    )


def _union(present: str, more: str) -> str:
    return "".join(letter for letter in "rwm" if letter in present or letter in more)


def _withdraw(exceptions: dict[DeviceKey, str], key: DeviceKey, access: str) -> None:
    """Take back an exception; wider ones that would still apply cannot be punctured."""
    present = exceptions.pop(key, "")
    if left := "".join(letter for letter in present if letter not in access):
        exceptions[key] = left
    for other, granted in exceptions.items():
        if other != key and _covers(other, key) and set(granted) & set(access):
            raise InvalidParameter(
                f"requested rule [{format_rule(key, access)}] not supported by the device controller"
                f" (cannot punch hole in existing wildcard rule [{format_rule(other, granted)}])"
            )


def _covers(wide: DeviceKey, narrow: DeviceKey) -> bool:
    return wide[0] == narrow[0] and all(a in (WILDCARD, b) for a, b in zip(wide[1:], narrow[1:], strict=True))
