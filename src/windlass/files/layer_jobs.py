"""Workers' jobs on a container's layers, whether it runs or not: `diff`, `export`, and the layer of a `commit`.

They look at the layers on the disk, by read-only mounts of their own in which no device opens: what a container has
mounted, or swaps meanwhile, leads nowhere.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from windlass.archive.confine import confine
from windlass.archive.pack import PackOptions, pack
from windlass.archive.sink import FdSink
from windlass.archive.writer import TarWriter
from windlass.base.errors import Cancelled
from windlass.files.compare import compare
from windlass.files.model import Root
from windlass.files.mounting import clone_inert, leave_host, mount_image, mount_view
from windlass.files.scaffold import scaffold


def changes_job(params: dict[str, Any], _fds: list[int]) -> dict[str, Any]:
    """Return what a container has changed, as pairs of path and kind; paths begin with a slash.

    Raises:
        OSError: the kernel refused.
    """
    root = msgspec.convert(params, Root)
    leave_host()
    upper_fd, image_fd = clone_inert(root.upper), mount_image(root)
    found = compare(upper_fd, image_fd, scaffold(upper_fd, image_fd))
    return {"changes": [("/" + path.decode("utf-8", "replace"), int(change)) for path, change in found]}


def export_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Write all of a container's own files, without what is mounted there, to the first descriptor as a tar.

    Raises:
        Cancelled: the client went away.
        OSError: the kernel refused.
    """
    root = msgspec.convert(params, Root)
    leave_host()
    root_fd = mount_view(root)
    confine(root_fd, trusted_xattrs=False, mounted=True)
    return {"size_bytes": _write(root_fd, fds[0], PackOptions()).count}


def layer_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Write what a container has changed to the first descriptor, as a layer; return the number of its entries.

    Raises:
        Cancelled: nobody reads it any more.
        OSError: the kernel refused.
    """
    root = msgspec.convert(params, Root)
    leave_host()
    upper_fd, image_fd = clone_inert(root.upper), mount_image(root)
    excluded = scaffold(upper_fd, image_fd)
    empty = all(os.fsencode(name) in excluded for name in os.listdir(upper_fd))
    _write(upper_fd, fds[0], PackOptions(overlay=True, excluded=excluded))
    return {"empty": empty}


def _write(root_fd: int, target_fd: int, options: PackOptions) -> FdSink:
    # It may be a client's connection, which the daemon's event loop had.
    os.set_blocking(target_fd, True)
    sink = FdSink(target_fd)
    writer = TarWriter(sink)
    try:
        pack(root_fd, writer, options)
        writer.finish()
    except BrokenPipeError:
        raise Cancelled("the client went away") from None
    return sink
