"""Names of control groups: clean relative paths."""

from __future__ import annotations

from windlass.base.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PREFIX = "windlass-runtime-"


def clean_name(name: str) -> str:
    """Return `name` without leading and doubled slashes.

    Raises:
        InvalidParameter: empty, or with a `..`, which could name a group that is not ours.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name or "\n" in name:
        raise InvalidParameter(f"invalid cgroup path: {name!r}")
    return "/".join(parts)


def oci_name(cgroups_path: str, container_id: str) -> str:
    """Return the group's name for a `linux.cgroupsPath`; absolute and relative ones are below the hierarchies' roots.

    The specification leaves the place of relative paths to the runtime; the root is the same place for every caller,
    wherever it runs itself. Without a path, each container has a group of its own at the top.

    Raises:
        InvalidParameter: the path is the root itself, or leaves it.
    """
    return clean_name(cgroups_path) if cgroups_path else f"{DEFAULT_PREFIX}{container_id}"


def sub_groups(arguments: Sequence[str]) -> dict[str, str]:
    """Read values of `exec --cgroup`: `CONTROLLER[,CONTROLLER...]:PATH`, or one `PATH` for all.

    Returns paths by controller, with an empty name for all.

    Raises:
        InvalidParameter: in runc's words.
    """
    paths: dict[str, str] = {}
    for argument in arguments:
        controllers, colon, path = argument.partition(":")
        if not colon:
            if len(arguments) != 1:
                raise InvalidParameter(f"invalid --cgroup argument: {argument} (missing <controller>: prefix)")
            return {"": argument}
        for controller in controllers.split(","):
            if not controller:
                raise InvalidParameter(f"invalid --cgroup argument: {argument} (empty <controller> prefix)")
            if controller in paths:
                text = f"invalid --cgroup argument(s): controller {controller} specified multiple times"
                raise InvalidParameter(text)
            paths[controller] = path
    return paths


def sub_path(directory: str, path: str) -> str:
    """Return `path` below `directory`; `/` and the empty path are the group itself.

    Raises:
        InvalidParameter: it leaves the group.
    """
    if not path.strip("/"):
        return directory
    try:
        return f"{directory}/{clean_name(path)}"
    except InvalidParameter:
        raise InvalidParameter(f"invalid --cgroup path: {path!r} is not below {directory}") from None
