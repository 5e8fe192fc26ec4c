"""`docker images`. Source: Engine API, ImageSummary."""

from __future__ import annotations

from windlass.images.filters import Filters, ImageFilter, list_filter
from windlass.images.image import Image
from windlass.images.inspect import repo_digests, repo_tags
from windlass.images.shelf import Shelf


def list_images(
    shelf: Shelf, filters: Filters, *, show_all: bool = False, shared_size: bool = False
) -> list[dict[str, object]]:
    """Return a summary of each image, the newest first.

    Images that only serve as others' parents are left out unless `show_all`. With `shared_size` each summary tells
    how many bytes of its layers another image has too.

    Raises:
        InvalidFilter: a filter is unknown or has a bad value.
        NoSuchImage: a filter names an image that is not there.
    """
    chosen = list_filter(shelf, filters)
    found = [summary for image in shelf.catalog if (summary := _summary(shelf, image, chosen, show_all))]
    if shared_size:
        _add_shared_sizes(shelf, found)
    return sorted(found, key=lambda summary: (-int(str(summary["Created"])), str(summary["Id"])))


def _summary(shelf: Shelf, image: Image, chosen: ImageFilter, show_all: bool) -> dict[str, object] | None:
    refs = shelf.catalog.refs_of(image.id)
    dangling = not refs
    if dangling and not show_all and shelf.catalog.children_of(image.id):
        return None
    if chosen.dangling is not None and chosen.dangling != dangling:
        return None
    names = chosen.accepted_names(refs)
    if not chosen.accepts(image) or (chosen.by_name and not names):
        return None
    return {
        "Id": image.id,
        "ParentId": image.parent,
        "RepoTags": repo_tags(names),
        "RepoDigests": repo_digests(names),
        "Created": image.created_ns // 1_000_000_000,
        "Size": image.size_bytes,
        "SharedSize": -1,
        "Labels": image.config.config.labels,
        "Containers": -1,
    }


def _add_shared_sizes(shelf: Shelf, summaries: list[dict[str, object]]) -> None:
    users: dict[str, int] = {}
    for image in shelf.catalog:
        for diff_id in set(image.diff_ids):
            users[diff_id] = users.get(diff_id, 0) + 1
    for summary in summaries:
        image = shelf.catalog.find(str(summary["Id"]))
        shared = {diff_id for diff_id in image.diff_ids if users[diff_id] > 1}
        summary["SharedSize"] = sum(shelf.catalog.layers[diff_id].size_bytes for diff_id in shared)
