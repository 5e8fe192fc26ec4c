"""One pass over a layer's stream: hash, keep, decode and hash again, while another thread applies what comes out.

Reading, hashing and inflating release the interpreter's lock, and so do the system calls that write files: two threads
keep two processors busy.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from types import TracebackType

import msgspec

from windlass.archive.compression import DecodedStream, ExpansionLimits, Format
from windlass.archive.errors import TooLarge

_CHUNK_BYTES = 1 << 18
_DEPTH = 16


class PipelineResult(msgspec.Struct, frozen=True):
    """What went through. `blob_digest` and `blob_bytes` are of the stream as it came, compressed or not."""

    diff_id: str
    diff_bytes: int
    blob_digest: str
    blob_bytes: int
    format: Format


class _Intake:
    """The stream as it comes: read from a descriptor, hashed, and kept in another descriptor when there is one."""

    def __init__(self, fd: int, keep_fd: int | None, limit_bytes: int | None) -> None:
        self._fd = fd
        self._keep_fd = keep_fd
        self._limit_bytes = limit_bytes
        self.hash = hashlib.sha256()
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = os.read(self._fd, size)
        self.count += len(data)
        if self._limit_bytes is not None and self.count > self._limit_bytes:
            raise TooLarge("size of the layer", self._limit_bytes)
        self.hash.update(data)
        if self._keep_fd is not None:
            view = memoryview(data)
            while view:
                view = view[os.write(self._keep_fd, view) :]
        return data


class LayerPipeline:
    """Reads `fd` in a thread of its own and gives out decoded chunks; `result` is for when they have ended.

    `keep_fd` receives the stream as it came, from its present offset. A context manager: leaving it early stops the
    thread, unless that waits for input; so this is for a process that ends with the job.
    """

    def __init__(
        self,
        fd: int,
        *,
        keep_fd: int | None = None,
        limit_bytes: int | None = None,
        limits: ExpansionLimits | None = None,
    ) -> None:
        self._intake = _Intake(fd, keep_fd, limit_bytes)
        self._limits = limits
        self._chunks: queue.Queue[bytes | Exception] = queue.Queue(_DEPTH)
        self._result: PipelineResult | None = None
        # It may be a connection that an event loop had.
        os.set_blocking(fd, True)
        self._ended = False
        self._stopped = False
        threading.Thread(target=self._produce, name="intake", daemon=True).start()

    def __enter__(self) -> LayerPipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        # Room for one more chunk wakes a producer that waits for it, to see that it is to stop.
        while not self._chunks.empty():
            self._chunks.get()

    def read(self, size: int = _CHUNK_BYTES, /) -> bytes:
        """Return the next decoded chunk, whatever `size` says; empty at the end.

        Raises:
            StreamCorrupt, TooLarge: the stream is bad.
            OSError: it does not read, or cannot be kept.
        """
        if self._ended:
            return b""
        chunk = self._chunks.get()
        if isinstance(chunk, Exception):
            self._ended = True
            raise chunk
        self._ended = not chunk
        return chunk

    def result(self) -> PipelineResult:
        """Return digests and sizes, once `read` has come to the end."""
        if self._result is None:
            raise RuntimeError("the stream has not been read to its end")
        return self._result

    def _produce(self) -> None:
        try:
            self._result = self._pump()
            self._chunks.put(b"")
        except Exception as error:
            self._chunks.put(error)

    def _pump(self) -> PipelineResult:
        intake = self._intake
        stream = DecodedStream(intake, self._limits)
        # The same bytes when there is no compression: one hash serves for both.
        diff_hash = intake.hash if stream.format is Format.NONE else hashlib.sha256()
        while not self._stopped and (chunk := stream.read(_CHUNK_BYTES)):
            self._chunks.put(chunk)
            if diff_hash is not intake.hash:
                diff_hash.update(chunk)
        return PipelineResult(
            diff_id=f"sha256:{diff_hash.hexdigest()}",
            diff_bytes=stream.produced_bytes,
            blob_digest=f"sha256:{intake.hash.hexdigest()}",
            blob_bytes=intake.count,
            format=stream.format,
        )
