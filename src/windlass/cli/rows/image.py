"""Rows of `images`: one for each tag and digest of an image."""

from __future__ import annotations

from windlass.cli.rows.moments import ago, local_text
from windlass.cli.rows.row import Row, short_id
from windlass.cli.units import human_size

NONE = "<none>"
NOT_AVAILABLE = "N/A"
SIZE_DIGITS = 3
COLUMNS = ("Repository", "Tag", "ID", "CreatedSince", "Size")
DIGEST_COLUMNS = ("Repository", "Tag", "Digest", "ID", "CreatedSince", "Size")


class ImageRow(Row):
    """One name of one image of `GET /images/json`."""

    TYPE_NAME = "*formatter.imageContext"
    __slots__ = ("digest", "repository", "tag")

    def __init__(self, data: dict[str, object], repository: str, tag: str, digest: str, *, trunc: bool = True) -> None:
        super().__init__(data, trunc=trunc)
        self.repository = repository
        self.tag = tag
        self.digest = digest

    def number(self, name: str) -> int:
        """A field that is a number, -1 when missing."""
        value = self.data.get(name)
        return value if isinstance(value, int) else -1


def image_rows(images: list[object], *, trunc: bool, digests: bool) -> list[ImageRow]:
    """Return the rows for the images, in their order; with `digests` every digest has a row."""
    rows: list[ImageRow] = []
    for image in images:
        if isinstance(image, dict):
            rows += [
                ImageRow(image, repository, tag, digest, trunc=trunc)
                for repository, tag, digest in _names(image, digests=digests)
            ]
    return rows


def _names(image: dict[str, object], *, digests: bool) -> list[tuple[str, str, str]]:
    tags = _by_repository(image.get("RepoTags"), ":")
    known = _by_repository(image.get("RepoDigests"), "@")
    names: list[tuple[str, str, str]] = []
    for repository, own in tags.items():
        found = known.get(repository, [])
        if not digests:
            names += [(repository, tag, found[0] if found else NONE) for tag in own]
        else:
            names += [(repository, tag, digest) for tag in own for digest in found or [NONE]]
    for repository, found in known.items():
        if repository not in tags:
            names += [(repository, NONE, digest) for digest in (found if digests else found[:1])]
    return names or [(NONE, NONE, NONE)]


def _by_repository(references: object, separator: str) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for reference in references if isinstance(references, list) else ():
        repository, _, rest = str(reference).rpartition(separator)
        if repository not in ("", NONE) and rest != NONE:
            result.setdefault(repository, []).append(rest)
    return result


def _unique_size(row: ImageRow) -> str:
    if row.number("SharedSize") < 0:
        return NOT_AVAILABLE
    return human_size(row.number("Size") - row.number("SharedSize"))


ImageRow.FIELDS = {
    "ID": ("IMAGE ID", lambda row: short_id(row.data["Id"]) if row.trunc else row.data["Id"]),
    "Repository": ("REPOSITORY", lambda row: row.repository),
    "Tag": ("TAG", lambda row: row.tag),
    "Digest": ("DIGEST", lambda row: row.digest),
    "CreatedSince": ("CREATED", lambda row: ago(row.number("Created"))),
    "CreatedAt": ("CREATED AT", lambda row: local_text(row.number("Created"))),
    "Size": ("SIZE", lambda row: human_size(row.number("Size"), SIZE_DIGITS)),
    "VirtualSize": ("SIZE", lambda row: human_size(row.number("Size"))),
    "SharedSize": (
        "SHARED SIZE",
        lambda row: NOT_AVAILABLE if row.number("SharedSize") < 0 else human_size(row.number("SharedSize")),
    ),
    "UniqueSize": ("UNIQUE SIZE", _unique_size),
    "Containers": (
        "CONTAINERS",
        lambda row: NOT_AVAILABLE if row.number("Containers") < 0 else str(row.number("Containers")),
    ),
}
