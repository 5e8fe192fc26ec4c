"""Names of control groups: clean relative paths."""

from __future__ import annotations

from windlass.base.errors import InvalidParameter


def clean_name(name: str) -> str:
    """Return `name` without leading and doubled slashes.

    Raises:
        InvalidParameter: empty, or with a `..`, which could name a group that is not ours.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name or "\n" in name:
        raise InvalidParameter(f"invalid cgroup path: {name!r}")
    return "/".join(parts)
