"""The OCI documents of `windlass/hello`, in memory and the same bytes on every host.

Source: OCI image-spec v1.1, manifest.md, config.md and layer.md.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass

from windlass.images.hello.elf import emit
from windlass.images.hello.text import TEXT
from windlass.spec.digest import digest_bytes

NAME = "windlass/hello:latest"
# Changes whenever the image does, so that its age means something and its digest stays.
CREATED = "2026-01-01T00:00:00Z"
_CREATED_S = 1767225600

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class HelloImage:
    """Raw documents: their digests are over exactly these bytes. `layers` are uncompressed tars, bottom first."""

    manifest: bytes
    config: bytes
    layers: tuple[bytes, ...]


def build_hello(arch: str) -> HelloImage:
    """Return the image for `arch`, in Go's spelling: "amd64" or "arm64".

    Raises:
        ValueError: another architecture.
    """
    machine = _MACHINES.get(arch)
    if machine is None:
        raise ValueError(f"windlass/hello is not made for architecture {arch!r}")
    layer = _layer(emit(machine, TEXT.encode()))
    config = _json(_config(arch, layer))
    return HelloImage(_json(_manifest(config, layer)), config, (layer,))


def _layer(program: bytes) -> bytes:
    """A tar of the one file `/hello`, owned by root."""
    entry = tarfile.TarInfo("hello")
    entry.size = len(program)
    entry.mode = 0o755
    entry.mtime = _CREATED_S
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()


def _config(arch: str, layer: bytes) -> dict[str, object]:
    return {
        "created": CREATED,
        "architecture": arch,
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "Cmd": ["/hello"],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "windlass/hello",
                "org.opencontainers.image.description": "Says what happened when it was run",
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [digest_bytes(layer)]},
        "history": [{"created": CREATED, "created_by": "windlass: emit /hello"}],
    }


def _manifest(config: bytes, layer: bytes) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_bytes(content), "size": len(content)}


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
