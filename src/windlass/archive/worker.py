"""Jobs for worker processes: plain values and descriptors in, plain values out.

A worker is forked by the zygote, does one job and ends. Everything a job needs is imported here, before the process is
confined.
"""

from __future__ import annotations

from typing import Any

import msgspec

from windlass.archive.apply import ApplyLimits, WhiteoutMode, apply_layer
from windlass.archive.compression import ExpansionLimits
from windlass.archive.confine import confine
from windlass.archive.errors import explained
from windlass.archive.pipeline import LayerPipeline
from windlass.base.errors import InvalidParameter


class UnpackParams(msgspec.Struct, frozen=True):
    """What to unpack and how. Descriptors of the job: input, directory, and the ingest file when `keep` is set.

    `limit_bytes` bounds the input as it comes; `max_bytes` what is made of it. `confined` says that the process may be
    chrooted into the directory, which is for good.
    """

    whiteouts: WhiteoutMode = WhiteoutMode.OVERLAY
    keep: bool = False
    limit_bytes: int | None = None
    max_bytes: int = 1 << 40
    max_entries: int = 8_000_000
    confined: bool = True


class UnpackResult(msgspec.Struct, frozen=True):
    """What was unpacked: digests, sizes in bytes, and how the blob was compressed (`Format`'s value)."""

    diff_id: str
    diff_bytes: int
    blob_digest: str
    blob_bytes: int
    compression: str
    size_bytes: int
    entries: int
    skipped_xattrs: int = 0


def unpack(params: UnpackParams, fds: list[int]) -> UnpackResult:
    """Apply the layer read from `fds[0]` in the empty directory `fds[1]`, in one pass that also names and keeps it.

    With `params.keep` the input as it comes is appended to `fds[2]`.

    Raises:
        WindlassError: the layer is bad or the host refused. The directory and the kept bytes are for throwing away.
    """
    input_fd, root_fd = fds[0], fds[1]
    try:
        if params.confined:
            confine(root_fd, trusted_xattrs=params.whiteouts is WhiteoutMode.OVERLAY)
        with LayerPipeline(
            input_fd,
            keep_fd=fds[2] if params.keep else None,
            limit_bytes=params.limit_bytes,
            limits=ExpansionLimits(max_bytes=params.max_bytes),
        ) as pipeline:
            limits = ApplyLimits(max_entries=params.max_entries, max_bytes=params.max_bytes)
            applied = apply_layer(pipeline, root_fd, whiteout_mode=params.whiteouts, limits=limits)
    except OSError as error:
        raise explained(error) from error
    seen = pipeline.result()
    return UnpackResult(
        diff_id=seen.diff_id,
        diff_bytes=seen.diff_bytes,
        blob_digest=seen.blob_digest,
        blob_bytes=seen.blob_bytes,
        compression=seen.format.value,
        size_bytes=applied.size_bytes,
        entries=applied.entries,
        skipped_xattrs=applied.skipped_xattrs,
    )


def unpack_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Run `unpack` for a caller in another process: JSON values in and out.

    Raises:
        InvalidParameter: `params` are not those of `UnpackParams`.
        WindlassError: as `unpack`.
    """
    try:
        wanted = msgspec.convert(params, UnpackParams)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"unpack: {error}") from error
    result: dict[str, Any] = msgspec.to_builtins(unpack(wanted, fds))
    return result
