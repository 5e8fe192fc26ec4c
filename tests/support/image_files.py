"""Image archives for tests, small and made by hand: Docker's form, OCI's, and wrong ones."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from windlass.spec import media_types
from windlass.spec.digest import digest_bytes


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@dataclass(frozen=True)
class SmallImage:
    """An image of small layers. `layers` are the archives as shipped, `diffs` the uncompressed ones."""

    config: bytes
    manifest: bytes
    layers: tuple[bytes, ...]
    diffs: tuple[bytes, ...]

    @property
    def id(self) -> str:
        """The image's id."""
        return digest_bytes(self.config)

    def blobs(self) -> dict[str, bytes]:
        """Every blob by its digest."""
        return {digest_bytes(data): data for data in (self.config, self.manifest, *self.layers)}


def descriptor(media_type: str, data: bytes, **fields: object) -> dict[str, object]:
    """The descriptor of some bytes."""
    return {"mediaType": media_type, "digest": digest_bytes(data), "size": len(data), **fields}


def small_image(
    *contents: Mapping[str, bytes],
    compressed: bool = False,
    architecture: str = "amd64",
    labels: Mapping[str, str] | None = None,
    diff_ids: Sequence[str] | None = None,
) -> SmallImage:
    """An image with one layer per `contents`; `diff_ids` replaces the true ones."""
    diffs = tuple(tar_of(files) for files in contents)
    layers = tuple(gzip.compress(diff, mtime=0) for diff in diffs) if compressed else diffs
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-02T03:04:05Z",
            "config": {"Cmd": ["/bin/true"], "Labels": dict(labels or {})},
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids or map(digest_bytes, diffs))},
            "history": [{"created": "2026-01-02T03:04:05Z", "created_by": f"step {n}"} for n in range(len(diffs))],
        }
    ).encode()
    kind = media_types.OCI_LAYER_GZIP if compressed else media_types.OCI_LAYER
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": descriptor(media_types.OCI_CONFIG, config),
            "layers": [descriptor(kind, layer) for layer in layers],
        }
    ).encode()
    return SmallImage(config, manifest, layers, diffs)


def docker_archive(*images: tuple[SmallImage, Sequence[str]]) -> bytes:
    """Docker's form, as before version 25: `<digest>.json` and `<number>/layer.tar`."""
    files: dict[str, bytes] = {}
    items = []
    for image, tags in images:
        names = []
        for layer in image.layers:
            name = f"{digest_bytes(layer)[7:]}/layer.tar"
            files[name] = layer
            names.append(name)
        config = f"{image.id[7:]}.json"
        files[config] = image.config
        items.append({"Config": config, "RepoTags": list(tags) or None, "Layers": names})
    files["manifest.json"] = json.dumps(items).encode()
    return tar_of(files)


def oci_files(blobs: Mapping[str, bytes], manifests: Sequence[Mapping[str, object]]) -> dict[str, bytes]:
    """The files of an OCI layout."""
    index = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": list(manifests)}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
    return files | {f"blobs/{digest.replace(':', '/')}": data for digest, data in blobs.items()}


def oci_archive(image: SmallImage, name: str = "") -> bytes:
    """An OCI layout of one image."""
    annotations = {"io.containerd.image.name": name} if name else {}
    entry = descriptor(media_types.OCI_MANIFEST, image.manifest, annotations=annotations)
    return tar_of(oci_files(image.blobs(), [entry]))
