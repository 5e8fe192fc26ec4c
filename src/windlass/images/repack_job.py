"""A worker's job: the archive of a layer, made again of its files."""

from __future__ import annotations

from typing import Any

from windlass.archive.pack import PackOptions, pack
from windlass.archive.sink import FdSink, HashingSink
from windlass.archive.writer import TarWriter


def repack_job(_params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Write the layer in the directory `fds[0]` to `fds[1]`, byte for byte as `commit` had it; return digest and size.

    Raises:
        OSError: the host refused.
    """
    sink = HashingSink(FdSink(fds[1]))
    writer = TarWriter(sink)
    pack(fds[0], writer, PackOptions(overlay=True))
    writer.finish()
    return {"digest": sink.digest, "size_bytes": sink.count}
