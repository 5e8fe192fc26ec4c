"""A worker's job: write a layer's archive without its compression."""

from __future__ import annotations

import os
from typing import Any

from windlass.archive.compression import DecodedStream
from windlass.archive.errors import explained
from windlass.archive.source import CHUNK_BYTES, FdStream


def expand_job(_params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Write the decoded bytes of `fds[0]` to `fds[1]`.

    Raises:
        StreamCorrupt, TooLarge: the stream is bad.
        System: the host refused.
    """
    written = 0
    try:
        stream = DecodedStream(FdStream(fds[0]))
        while data := stream.read(CHUNK_BYTES):
            view = memoryview(data)
            while view:
                view = view[os.write(fds[1], view) :]
            written += len(data)
    except OSError as error:
        raise explained(error) from error
    return {"size_bytes": written}
