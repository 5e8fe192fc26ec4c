"""Names of systemd's units and where their control groups are.

Source: systemd.slice(5), systemd.unit(5); runtime-spec config-linux.md, "Cgroups Path" (`slice:prefix:name` is runc's).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.spec import struct

DEFAULT_SLICE = "system.slice"
DEFAULT_PREFIX = "windlass"
_ROOT_SLICE = "-.slice"
_UNIT_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")
_UNIT_LENGTH = 255


class UnitName(struct.Struct, frozen=True):
    """A unit and the slice that it is in; `path` is its control group below the hierarchies' roots."""

    slice: str
    unit: str
    path: str


def unit_name(name: str) -> UnitName:
    """Read a `slice:prefix:name`, or the path of a scope that it stands for (`system.slice/windlass-1.scope`).

    The unit is `prefix-name.scope`, or `name` itself when it ends in `.slice`. An empty slice is `system.slice`.

    Raises:
        InvalidParameter: in runc's words.
    """
    if ":" not in name:
        above, _, unit = name.strip("/").rpartition("/")
        slice_name = above.rpartition("/")[2] or _ROOT_SLICE
        if not slice_name.endswith(".slice") or not unit.endswith((".scope", ".slice")):
            raise InvalidParameter(
                f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{name}" instead'
            )
    else:
        parts = name.split(":")
        if len(parts) != 3 or not parts[2]:
            raise InvalidParameter(
                f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{name}" instead'
            )
        slice_name, prefix, last = parts[0] or DEFAULT_SLICE, parts[1], parts[2]
        unit = last if last.endswith(".slice") else f"{prefix}-{last}.scope" if prefix else f"{last}.scope"
        slice_name = _ROOT_SLICE if slice_name == "-" else slice_name
    if not set(unit) <= _UNIT_CHARACTERS or len(unit) > _UNIT_LENGTH or unit.startswith("."):
        raise InvalidParameter(f"invalid unit name: {unit}")
    if unit.endswith(".slice"):
        return UnitName(slice_name, unit, expand_slice(unit))
    return UnitName(slice_name, unit, f"{expand_slice(slice_name)}/{unit}".lstrip("/"))


def default_name(container_id: str) -> str:
    """Return the `slice:prefix:name` of a container that says nothing."""
    return f":{DEFAULT_PREFIX}:{container_id}"


def expand_slice(name: str) -> str:
    """Return the path of a slice: dashes nest, so `a-b.slice` is `a.slice/a-b.slice`; the root slice is empty.

    Raises:
        InvalidParameter: it is no name of a slice.
    """
    if name == _ROOT_SLICE:
        return ""
    stem = name.removesuffix(".slice")
    parts = stem.split("-")
    if stem == name or "/" in name or "" in parts or not set(name) <= _UNIT_CHARACTERS:
        raise InvalidParameter(f"invalid slice name: {name}")
    return "/".join("-".join(parts[: number + 1]) + ".slice" for number in range(len(parts)))
