"""`docker image inspect` and `docker history`. Source: Engine API, ImageInspect and HistoryResponseItem."""

from __future__ import annotations

from collections.abc import Iterator

from windlass.base.clock import rfc3339_nano
from windlass.images.documents import config_members
from windlass.images.image import Image
from windlass.images.register import created_ns
from windlass.images.shelf import Shelf
from windlass.spec.image import History
from windlass.spec.reference import ImageRef


def inspect(shelf: Shelf, image: Image) -> dict[str, object]:
    """Return everything about an image, as the Engine API shows it."""
    refs = shelf.catalog.refs_of(image.id)
    config = image.config
    found: dict[str, object] = {
        "Id": image.id,
        "RepoTags": repo_tags(refs),
        "RepoDigests": repo_digests(refs),
        "Parent": image.parent,
        "Comment": config.comment or (config.history[-1].comment if config.history else ""),
        "Created": config.created,
        "DockerVersion": config.docker_version,
        "Author": config.author,
        "Config": config_members(config.config, empty=True),
        "Architecture": config.architecture,
        "Os": config.os,
        "Size": image.size_bytes,
        "GraphDriver": _graph_driver(shelf, image),
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        "Metadata": {"LastTagTime": rfc3339_nano(image.tagged_ns)},
    }
    if config.variant:
        found["Variant"] = config.variant
    if config.os_version:
        found["OsVersion"] = config.os_version
    return found


def _graph_driver(shelf: Shelf, image: Image) -> dict[str, object]:
    """Tell where the layers are. MergedDir and WorkDir are Docker's words for what is only there while mounted."""
    paths = [f"{shelf.layers.directory}/{short}/d" for short in reversed(shelf.catalog.shorts_of(image))]
    if not paths:
        return {"Name": "overlay2", "Data": None}
    top = paths[0].removesuffix("/d")
    data = {"MergedDir": f"{top}/merged", "UpperDir": paths[0], "WorkDir": f"{top}/work"}
    if len(paths) > 1:
        data["LowerDir"] = ":".join(paths[1:])
    return {"Name": "overlay2", "Data": data}


def history(shelf: Shelf, image: Image) -> list[dict[str, object]]:
    """Return the steps that made an image, the last first.

    A configuration with fewer steps than layers (it is a stranger's word) still shows every layer's size.
    """
    sizes = iter([shelf.catalog.layers[diff_id].size_bytes for diff_id in image.diff_ids])
    steps = [_step(step, sizes) for step in image.config.history]
    steps += [_step(History(comment="<missing history>"), iter((size,))) for size in sizes]
    steps.reverse()
    if not steps:
        steps = [_step(History(created=image.config.created, empty_layer=True), sizes)]
    steps[0]["Id"] = image.id
    steps[0]["Tags"] = repo_tags(shelf.catalog.refs_of(image.id)) or None
    return steps


def _step(step: History, sizes: Iterator[int]) -> dict[str, object]:
    return {
        "Id": "<missing>",
        "Created": created_ns(step) // 1_000_000_000,
        "CreatedBy": step.created_by,
        "Tags": None,
        "Size": 0 if step.empty_layer else next(sizes, 0),
        "Comment": step.comment,
    }


def repo_tags(refs: list[ImageRef]) -> list[str]:
    """Return the names with tags, as people write them."""
    return [ref.familiar for ref in refs if ref.tag]


def repo_digests(refs: list[ImageRef]) -> list[str]:
    """Return the names with digests, as people write them."""
    return [ref.familiar for ref in refs if ref.digest]
