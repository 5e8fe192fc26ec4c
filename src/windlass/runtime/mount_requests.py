"""From `-v`, `--mount`, `--tmpfs` and the image's VOLUME to a list of mount points.

Nothing is looked up but, with `check_bind_sources`, whether the host paths of `--mount` exist.

Source: Docker Engine API, HostConfig.Binds, Mounts and Tmpfs; Docker, "Volumes", "Bind mounts".
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from windlass.base.errors import InvalidParameter
from windlass.runtime import tmpfs
from windlass.runtime.intent import MountPoint
from windlass.spec.container import ContainerConfig, HostConfig, MountRequest

PROPAGATIONS = frozenset({"private", "rprivate", "shared", "rshared", "slave", "rslave"})
DEFAULT_PROPAGATION = "rprivate"

_MODE_GROUPS = (
    frozenset({"rw", "ro"}),
    frozenset({"z", "Z"}),
    PROPAGATIONS,
    frozenset({"nocopy"}),
    frozenset({"consistent", "cached", "delegated", "default"}),
)


def parse_mounts(config: ContainerConfig, host_config: HostConfig) -> list[MountPoint]:
    """List all mount points, those of `--mount` and `-v` over the image's volumes; sorted from the outside in.

    Raises:
        InvalidParameter: malformed, or two for one destination.
    """
    points: dict[str, MountPoint] = {}
    for bind in host_config.binds or ():
        _add(points, parse_bind(bind, host_config.volume_driver))
    for request in host_config.mounts or ():
        _add(points, parse_request(request))
    for destination, options in (host_config.tmpfs or {}).items():
        _check_tmpfs_destination(destination)
        _add(points, MountPoint("tmpfs", clean(destination), options=options))
    for destination in config.volumes or {}:
        # An image's volume, or `-v /path`: only where nothing else is.
        _check_destination(MountRequest(target=destination, type="volume"), destination)
        point = MountPoint("volume", clean(destination), driver=host_config.volume_driver, copy_data=True)
        points.setdefault(point.destination, point)
    return sort_mounts(points.values())


def sort_mounts(points: Iterable[MountPoint]) -> list[MountPoint]:
    """Order mounts so that what is mounted on comes before what is mounted there."""
    return sorted(points, key=lambda point: (depth(point.destination), point.destination))


def depth(path: str) -> int:
    """Count the components of an absolute path."""
    return len([part for part in path.split("/") if part])


def clean(path: str) -> str:
    """Normalise an absolute path lexically, as Go's path.Clean does."""
    return "/" + posixpath.normpath(path).lstrip("/") if path.startswith("/") else posixpath.normpath(path)


def _add(points: dict[str, MountPoint], point: MountPoint) -> None:
    if point.destination in points:
        raise InvalidParameter(f"Duplicate mount point: {point.destination}")
    points[point.destination] = point


def parse_bind(text: str, volume_driver: str = "") -> MountPoint:
    """Read `[source:]destination[:mode]` of `-v`.

    Raises:
        InvalidParameter: malformed.
    """
    parts = text.split(":")
    if not 2 <= len(parts) <= 3 or not parts[0] or (len(parts) == 2 and is_valid_mode(parts[1])):
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    source, destination, mode = parts[0], parts[1], parts[2] if len(parts) == 3 else ""
    if not is_valid_mode(mode):
        raise InvalidParameter(f"invalid mode: {mode}")
    words = mode.split(",")
    is_bind = source.startswith("/")
    kind = "bind" if is_bind else "volume"
    request = MountRequest(target=destination, source=source, type=kind)
    propagation = next((word for word in words if word in PROPAGATIONS), "")
    try:
        _check_destination(request, destination)
        if propagation and not is_bind:
            raise _config_error(request, "field BindOptions must not be specified")
        if "nocopy" in words and is_bind:
            raise _config_error(request, "field VolumeOptions must not be specified")
    except InvalidParameter as error:
        raise InvalidParameter(f"invalid volume specification: '{text}': {error.message}") from None
    if is_bind:
        return MountPoint(
            "bind",
            clean(destination),
            clean(source),
            read_only="ro" in words,
            propagation=propagation or DEFAULT_PROPAGATION,
            mode=mode,
            create_source=True,
        )
    return MountPoint(
        "volume",
        clean(destination),
        name=source,
        driver=volume_driver,
        read_only="ro" in words,
        mode=mode,
        copy_data="nocopy" not in words,
    )


def is_valid_mode(mode: str) -> bool:
    """Tell whether every word of a mode is known and no kind of word comes twice."""
    if not mode:
        return True
    words = mode.split(",")
    counts = [sum(word in group for word in words) for group in _MODE_GROUPS]
    return sum(counts) == len(words) and max(counts) <= 1


def parse_request(request: MountRequest) -> MountPoint:
    """Read one `--mount`.

    Raises:
        InvalidParameter: malformed, in Docker's words.
    """
    if not request.target:
        raise _config_error(request, "field Target must not be empty")
    _check_destination(request, request.target)
    readers = {"bind": _bind, "volume": _volume, "tmpfs": _tmpfs, "image": _image}
    if request.type not in readers:
        raise _config_error(request, "mount type unknown")
    return readers[request.type](request)


def _bind(request: MountRequest) -> MountPoint:
    if not request.source:
        raise _config_error(request, "field Source must not be empty")
    if request.volume_options is not None:
        raise _config_error(request, "field VolumeOptions must not be specified")
    if not request.source.startswith("/"):
        raise _config_error(request, f"invalid mount path: '{request.source}' mount path must be absolute")
    options = request.bind_options
    propagation = (options.propagation if options else "") or DEFAULT_PROPAGATION
    if propagation not in PROPAGATIONS:
        raise _config_error(request, f"invalid propagation mode: {propagation}")
    recursive = not (options and options.non_recursive)
    if options and options.read_only_force_recursive:
        _check_forced(request, recursive=recursive, propagation=propagation)
    return MountPoint(
        "bind",
        clean(request.target),
        clean(request.source),
        read_only=request.read_only,
        propagation=propagation,
        recursive=recursive,
        read_only_recursive=recursive and not (options and options.read_only_non_recursive),
        create_source=bool(options and options.create_mountpoint),
    )


def _check_forced(request: MountRequest, *, recursive: bool, propagation: str) -> None:
    """A mount that must be read-only to its leaves must be read-only, recursive and closed to new leaves."""
    options = request.bind_options
    if options is not None and options.read_only_non_recursive:
        raise _config_error(request, "mount options ReadOnlyNonRecursive and ReadOnlyForceRecursive are conflicting")
    if not request.read_only or not recursive:
        raise _config_error(request, "ReadOnlyForceRecursive requires a read-only, recursive mount")
    if propagation not in ("private", "rprivate"):
        raise _config_error(request, "ReadOnlyForceRecursive requires private propagation")


def _volume(request: MountRequest) -> MountPoint:
    if request.bind_options is not None:
        raise _config_error(request, "field BindOptions must not be specified")
    options = request.volume_options
    subpath = options.subpath if options else ""
    if subpath:
        if not request.source:
            raise _config_error(request, "must not set Subpath when using anonymous volumes")
        _check_subpath(request, subpath)
    if request.read_only and not request.source:
        raise _config_error(request, "must not set ReadOnly mode when using anonymous volumes")
    return MountPoint(
        "volume",
        clean(request.target),
        name=request.source,
        driver=options.driver_config.name if options and options.driver_config else "",
        read_only=request.read_only,
        subpath=subpath,
        copy_data=not (options and options.no_copy),
    )


def _tmpfs(request: MountRequest) -> MountPoint:
    if request.bind_options is not None:
        raise _config_error(request, "field BindOptions must not be specified")
    if request.source:
        raise _config_error(request, "field Source must not be specified")
    try:
        options = tmpfs.format_options(request.tmpfs_options, read_only=request.read_only)
    except InvalidParameter as error:
        raise _config_error(request, error.message) from None
    return MountPoint("tmpfs", clean(request.target), options=options, read_only=request.read_only)


def _image(request: MountRequest) -> MountPoint:
    if request.bind_options is not None:
        raise _config_error(request, "field BindOptions must not be specified")
    if not request.source:
        raise _config_error(request, "field Source must not be empty")
    subpath = request.image_options.subpath if request.image_options else ""
    if subpath:
        _check_subpath(request, subpath)
    return MountPoint("image", clean(request.target), name=request.source, read_only=True, subpath=subpath)


def _check_subpath(request: MountRequest, subpath: str) -> None:
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise _config_error(request, "subpath must be a relative path within the volume")


def _check_destination(request: MountRequest, destination: str) -> None:
    if clean(destination) == "/":
        raise _config_error(request, "invalid specification: destination can't be '/'")
    if not destination.startswith("/"):
        raise _config_error(request, f"invalid mount path: '{destination}' mount path must be absolute")


def _check_tmpfs_destination(destination: str) -> None:
    if clean(destination) == "/":
        raise InvalidParameter("invalid specification: destination can't be '/'")
    if not destination.startswith("/"):
        raise InvalidParameter(f"invalid mount path: '{destination}' mount path must be absolute")


def _config_error(request: MountRequest, text: str) -> InvalidParameter:
    return InvalidParameter(f'invalid mount config for type "{request.type}": {text}')


def check_bind_sources(host_config: HostConfig) -> None:
    """Refuse `--mount type=bind` whose host path does not exist (that of `-v` is made at start).

    Raises:
        InvalidParameter: it does not exist.
    """
    for request in host_config.mounts or ():
        creates = request.bind_options is not None and request.bind_options.create_mountpoint
        if request.type == "bind" and not creates and not os.path.lexists(request.source):
            raise _config_error(request, f"bind source path does not exist: {request.source}")
