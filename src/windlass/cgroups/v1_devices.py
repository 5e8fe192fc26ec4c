"""Device rules of a v1 group.

Source: Documentation/admin-guide/cgroup-v1/devices.rst; security/device_cgroup.c.
"""

from __future__ import annotations

from windlass.cgroups import control
from windlass.cgroups.devices import parse_v1_list, reduce_rules, v1_commands, v1_transition
from windlass.cgroups.model import CgroupError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from windlass.cgroups.devices import DeviceRules
    from windlass.spec.resources import LinuxDeviceCgroup


def restrict(directory: str, rules: Sequence[LinuxDeviceCgroup]) -> None:
    """Write the rules of a fresh group, whose parent allows everything."""
    _write(directory, v1_commands(reduce_rules(rules)))


def replace(
    directory: str, rules: Sequence[LinuxDeviceCgroup], stopped: Callable[[], AbstractContextManager[None]]
) -> None:
    """Change the rules of a group in use, without a window in which its processes are allowed more than both say.

    Rule by rule where it denies by default before and after. Otherwise the kernel forgets all exceptions on the way, so
    the processes are `stopped` meanwhile.

    Raises:
        CgroupError: the kernel refused; the old rules are back.
    """
    wanted = reduce_rules(rules)
    present = parse_v1_list(control.read(f"{directory}/devices.list"))
    if not present.default_allow and not wanted.default_allow:
        _write_or_restore(directory, v1_transition(present, wanted), present)
    elif not (present.default_allow and wanted.allows_everything):
        with stopped():
            _write_or_restore(directory, _afresh(wanted), present)


def _afresh(rules: DeviceRules) -> tuple[tuple[str, str], ...]:
    """From whatever it is: `a` resets the default and drops all exceptions."""
    if rules.default_allow:
        return (("devices.allow", "a"), *v1_commands(rules))
    return v1_commands(rules)


def _write_or_restore(directory: str, commands: Sequence[tuple[str, str]], present: DeviceRules) -> None:
    try:
        _write(directory, commands)
    except CgroupError:
        halfway = parse_v1_list(control.read(f"{directory}/devices.list"))
        if halfway.default_allow == present.default_allow:
            _write(directory, () if present.default_allow else v1_transition(halfway, present))
        else:
            _write(directory, _afresh(present))
        raise


def _write(directory: str, commands: Sequence[tuple[str, str]]) -> None:
    for file, text in commands:
        control.write(f"{directory}/{file}", text)
