"""`docker rmi`: names first, then the image once nothing needs it.

Source: Docker CLI reference, "docker image rm"; the texts are those that its users know.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.base.errors import Conflict
from windlass.images.image import Image, ImageUser, UsersOf, short_id
from windlass.images.shelf import Shelf
from windlass.spec.digest import chain_ids
from windlass.spec.reference import ImageRef, parse_reference

Removal = dict[str, str]
"""One line of the answer: `Untagged` or `Deleted`."""


class ImageInUse(Conflict):
    """Something keeps the image. `hard` conflicts are not for forcing."""

    def __init__(self, image: Image, reason: str, *, hard: bool) -> None:
        forcing = "cannot be forced" if hard else "must be forced"
        super().__init__(f"conflict: unable to delete {image.short_id} ({forcing}) - {reason}")
        self.hard = hard


class ReferenceInUse(Conflict):
    """The name is the last one of an image that a container uses."""

    def __init__(self, name: str, user: ImageUser, image: Image) -> None:
        super().__init__(
            f'conflict: unable to remove repository reference "{name}" (must force) - '
            f"container {short_id(f':{user.container_id}')} is using its referenced image {image.short_id}"
        )


class ImageRemoval:
    """One removal. What it has done so far is in `removals`."""

    def __init__(self, shelf: Shelf, users_of: UsersOf, *, force: bool, prune: bool) -> None:
        """`force` overrides soft conflicts; `prune` also removes parents that have no name and no other child."""
        self._shelf = shelf
        self._users_of = users_of
        self._force = force
        self._prune = prune
        self.removals: list[Removal] = []

    async def remove(self, name: str) -> None:
        """Remove what `name` means: one name of an image, or an image by its id with all its names.

        Raises:
            NoSuchImage: there is none.
            ImageInUse, ReferenceInUse: something keeps it; nothing was changed.
        """
        image = self._shelf.catalog.find(name)
        refs = self._shelf.catalog.refs_of(image.id)
        if self._shelf.catalog.is_id(name, image):
            if _is_one_name(refs):
                self._check(image, names=False)
                await self._untag(image, refs)
            await self._remove_image(image)
        elif await self._remove_name(image, name, refs):
            await self._remove_image(image, quiet=True)

    async def _remove_name(self, image: Image, name: str, refs: list[ImageRef]) -> bool:
        """Remove one name; tell whether the image has none left."""
        user = next(iter(self._users_of(image.id)), None)
        if user is not None and not self._force and _is_one_name(refs):
            raise ReferenceInUse(name, user, image)
        meant = parse_reference(name)
        named = meant.with_digest(meant.digest) if meant.digest else meant.with_default_tag()  # type: ignore[arg-type]
        gone = [named]
        same = [ref for ref in refs if ref.name == named.name and ref != named]
        if named.tag and not any(ref.tag for ref in same):
            # Digests came with the tag and go with the repository's last one.
            gone += same
        await self._untag(image, gone)
        return len(gone) == len(refs)

    async def _untag(self, image: Image, refs: list[ImageRef]) -> None:
        await self._shelf.rows.remove([str(ref) for ref in refs])
        self._shelf.catalog.drop_refs(refs)
        for ref in refs:
            self.removals.append({"Untagged": ref.familiar})
            self._shelf.announce("untag", image)

    def _check(self, image: Image, *, names: bool = True) -> None:
        """Raise the first conflict, hard ones first."""
        if self._shelf.catalog.children_of(image.id):
            raise ImageInUse(image, "image has dependent child images", hard=True)
        users = list(self._users_of(image.id))
        for user in users:
            if user.running:
                reason = f"image is being used by running container {user.container_id[:12]}"
                raise ImageInUse(image, reason, hard=True)
        if self._force:
            return
        if names and self._shelf.catalog.refs_of(image.id):
            raise ImageInUse(image, "image is referenced in multiple repositories", hard=False)
        if users:
            reason = f"image is being used by stopped container {users[0].container_id[:12]}"
            raise ImageInUse(image, reason, hard=False)

    async def _remove_image(self, image: Image, *, quiet: bool = False) -> None:
        """Remove an image and, when pruning, the parents that only it held.

        A quiet removal only happens where nothing is against it: its names are gone already, and that is enough.
        """
        try:
            self._check(image)
        except ImageInUse:
            if quiet:
                return
            raise
        refs = self._shelf.catalog.refs_of(image.id)
        if refs:
            await self._untag(image, refs)
        retire = next(iter(self._users_of(image.id)), None) is not None
        await self._shelf.rows.remove((), image.id, retire=retire)
        self._forget(image, retire=retire)
        parent = self._shelf.catalog.get(image.parent) if self._prune and image.parent else None
        if parent is not None and not parent.retired and not self._shelf.catalog.refs_of(parent.id):
            await self._remove_image(parent, quiet=True)

    def _forget(self, image: Image, *, retire: bool) -> None:
        catalog = self._shelf.catalog
        catalog.drop_image(image.id)
        if retire:
            catalog.put_image(replace(image, retired=True, parent=""))
        self.removals.append({"Deleted": image.id})
        self.removals += [{"Deleted": chain_id} for chain_id in self._lost_chains(image)]
        self._shelf.announce("delete", image)

    def _lost_chains(self, image: Image) -> list[str]:
        """Return the chain ids that no image or container has any more, top first."""
        kept: set[str] = set()
        for other in (*self._shelf.catalog, *self._shelf.catalog.retired()):
            kept.update(chain_ids(other.diff_ids))
        return [chain_id for chain_id in reversed(chain_ids(image.diff_ids)) if chain_id not in kept]


def _is_one_name(refs: list[ImageRef]) -> bool:
    """Tell whether the names amount to one: a tag at most, with digests of its own repository only."""
    if len(refs) <= 1:
        return True
    tags = [ref for ref in refs if ref.tag]
    repositories = {ref.name for ref in refs if ref.digest}
    if len(tags) > 1:
        return False
    single = tags[0].name if tags else refs[0].name
    return repositories == {single}
