"""Names, lists, removal and the sweep, with real layers."""

from __future__ import annotations

import pytest
from tests.support.image_files import tar_of
from tests.support.image_lab import ImageLab, chunks

from windlass.base.errors import Conflict, InvalidParameter
from windlass.images.image import Image, ImageUser, NoSuchImage
from windlass.spec.reference import parse_reference

pytestmark = pytest.mark.root

CONTAINER = "c" * 64


async def _image(lab: ImageLab, content: bytes, *names: str, label: str = "") -> Image:
    changes = [f"LABEL l={label}"] if label else []
    image = await lab.service.import_tar(chunks(tar_of({"f": content})), parse_reference(names[0]), changes=changes)
    for name in names[1:]:
        await lab.service.tag(image.id, parse_reference(name))
    return image


async def test_an_image_is_found_by_everything_it_goes_by(lab: ImageLab) -> None:
    image = await _image(lab, b"1", "a", "b/c:2")
    digits = image.id.removeprefix("sha256:")
    for name in ("a", "a:latest", "docker.io/library/a", "b/c:2", digits, image.id, digits[:12], image.id[:20]):
        assert (await lab.service.resolve(name)).id == image.id
    for name, shown in (
        ("b/c", "b/c:latest"),
        ("a:2", "a:2"),
        ("sha256:abc", "sha256:abc"),
        ("f" * 64, "sha256:" + "f" * 64),
    ):
        with pytest.raises(NoSuchImage) as raised:
            await lab.service.resolve(name)
        assert raised.value.message == f"No such image: {shown}"
    with pytest.raises(InvalidParameter, match="invalid reference format"):
        await lab.service.resolve("a:b:c")


async def test_a_tag_moves(lab: ImageLab) -> None:
    first, second = await _image(lab, b"1", "a"), await _image(lab, b"2", "b")
    await lab.service.tag("b", parse_reference("a"))
    assert (await lab.service.resolve("a")).id == second.id
    assert (await lab.names())[first.id] == []
    with pytest.raises(InvalidParameter, match="refusing to create a tag with a digest reference"):
        await lab.service.tag("a", parse_reference("x@sha256:" + "0" * 64))


async def test_lists_and_their_filters(lab: ImageLab) -> None:
    old = await _image(lab, b"1", "old/a:1", "other", label="x")
    dangling = await lab.service.import_tar(chunks(tar_of({"f": b"2"})))
    new = await _image(lab, b"3", "new")

    async def ids(**filters: str) -> list[str]:
        return [str(each["Id"]) for each in await lab.service.list({k.rstrip("_"): [v] for k, v in filters.items()})]

    assert {str(each["Id"]) for each in await lab.service.list()} == {old.id, dangling.id, new.id}
    assert await ids(dangling="true") == [dangling.id]
    assert set(await ids(dangling="0")) == {old.id, new.id}
    assert await ids(label="l") == [old.id] == await ids(label="l=x")
    assert await ids(label="l=y") == []
    assert await ids(reference="old/*") == [old.id] == await ids(reference="old/a:1")
    assert await ids(reference="*") == [new.id, old.id] or set(await ids(reference="*")) == {new.id, old.id}
    assert dangling.id in await ids(before="new")
    assert new.id not in await ids(before="new")
    assert await ids(since=dangling.id) == [new.id]
    assert await ids(until="1h") == []
    (only,) = await lab.service.list({"reference": ["old/*"]})
    assert only["RepoTags"] == ["old/a:1"]
    for filters in ({"foo": ["x"]}, {"dangling": ["x"]}, {"until": ["soon"]}):
        with pytest.raises(InvalidParameter, match="invalid filter '"):
            await lab.service.list(filters)


async def test_removing_a_name_and_then_the_image(lab: ImageLab) -> None:
    image = await _image(lab, b"1", "a", "b")
    assert await lab.service.remove("b", lab.users_of) == [{"Untagged": "b:latest"}]
    removed = await lab.service.remove("a", lab.users_of)
    assert removed == [{"Untagged": "a:latest"}, {"Deleted": image.id}, {"Deleted": image.diff_ids[0]}]
    await lab.settled()
    assert not lab.layers()
    assert not lab.blobs()
    assert [action for _, action, _, _ in lab.events[-3:]] == ["untag", "untag", "delete"]
    with pytest.raises(NoSuchImage):
        await lab.service.remove("a", lab.users_of)


async def test_removing_by_id(lab: ImageLab) -> None:
    image = await _image(lab, b"1", "a", "b")
    with pytest.raises(Conflict) as raised:
        await lab.service.remove(image.short_id, lab.users_of)
    assert raised.value.message == (
        f"conflict: unable to delete {image.short_id} (must be forced) - image is referenced in multiple repositories"
    )
    removed = await lab.service.remove(image.short_id, lab.users_of, force=True)
    assert removed[:3] == [{"Untagged": "a:latest"}, {"Untagged": "b:latest"}, {"Deleted": image.id}]


async def test_what_a_container_uses_is_kept(lab: ImageLab) -> None:
    image = await _image(lab, b"1", "a")
    lab.users[image.id] = [ImageUser(CONTAINER, running=False)]
    with pytest.raises(Conflict) as raised:
        await lab.service.remove("a", lab.users_of)
    assert raised.value.message == (
        'conflict: unable to remove repository reference "a" (must force) - '
        f"container {CONTAINER[:12]} is using its referenced image {image.short_id}"
    )
    with pytest.raises(Conflict) as raised:
        await lab.service.remove(image.id, lab.users_of)
    assert raised.value.message == (
        f"conflict: unable to delete {image.short_id} (must be forced) - "
        f"image is being used by stopped container {CONTAINER[:12]}"
    )
    lab.users[image.id] = [ImageUser(CONTAINER, running=True)]
    with pytest.raises(Conflict) as raised:
        await lab.service.remove(image.id, lab.users_of, force=True)
    assert raised.value.message == (
        f"conflict: unable to delete {image.short_id} (cannot be forced) - "
        f"image is being used by running container {CONTAINER[:12]}"
    )
    assert await lab.names() == {image.id: ["a:latest"]}


async def test_a_forced_removal_leaves_the_container_its_layers(lab: ImageLab) -> None:
    image = await _image(lab, b"1", "a")
    lab.users[image.id] = [ImageUser(CONTAINER, running=False)]
    await lab.database.write(
        lambda c: c.execute("INSERT INTO containers VALUES (?, 'n', ?, x'', x'')", (CONTAINER, image.id))
    )
    removed = await lab.service.remove("a", lab.users_of, force=True)
    assert removed == [{"Untagged": "a:latest"}, {"Deleted": image.id}]
    await lab.settled()
    assert await lab.names() == {}
    assert lab.service.layers_of(image.id) == lab.service.rootfs(image)
    assert lab.layers() == set(lab.service.rootfs(image))
    with pytest.raises(NoSuchImage):
        await lab.service.resolve(image.id)
    await lab.database.write(lambda c: c.execute("DELETE FROM containers"))
    lab.service.container_removed()
    await lab.settled()
    assert not lab.layers()
    assert not lab.blobs()


async def test_a_shared_layer_outlives_one_of_its_images(lab: ImageLab) -> None:
    data = tar_of({"f": b"shared"})
    first = await lab.service.import_tar(chunks(data), parse_reference("a"))
    second = await lab.service.import_tar(chunks(data), parse_reference("b"))
    assert await lab.service.remove("a", lab.users_of) == [{"Untagged": "a:latest"}, {"Deleted": first.id}]
    await lab.settled()
    assert lab.layers() == set(lab.service.rootfs(second))
    assert lab.tree(lab.service.rootfs(second)[0]) == {"f": b"shared"}


async def test_pruning(lab: ImageLab) -> None:
    named, used = await _image(lab, b"1", "a"), await lab.service.import_tar(chunks(tar_of({"f": b"2"})))
    dangling = await lab.service.import_tar(chunks(tar_of({"f": b"3" * 1000})))
    lab.users[used.id] = [ImageUser(CONTAINER, running=False)]
    pruned = await lab.service.prune({}, lab.users_of)
    assert {"Deleted": dangling.id} in pruned.removals
    assert pruned.reclaimed_bytes >= 1000
    assert set(await lab.names()) == {named.id, used.id}
    pruned = await lab.service.prune({"dangling": ["false"]}, lab.users_of)
    assert {"Untagged": "a:latest"} in pruned.removals
    assert set(await lab.names()) == {used.id}
