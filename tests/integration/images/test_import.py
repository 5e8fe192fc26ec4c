"""`docker import` with real workers."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.support.image_files import tar_of
from tests.support.image_lab import ImageLab, chunks

from windlass.base.errors import Cancelled, DataLoss, InvalidParameter, WindlassError
from windlass.images.changes import InvalidChange
from windlass.images.image import NoSuchImage
from windlass.spec.digest import digest_bytes
from windlass.spec.platform import host, parse_platform
from windlass.spec.reference import parse_reference

pytestmark = pytest.mark.root

TAR = tar_of({"etc/hostname": b"h\n", "bin/sh": b"#!" * 100_000})


async def test_a_tar_becomes_an_image_of_one_layer(lab: ImageLab) -> None:
    image = await lab.service.import_tar(
        chunks(TAR),
        parse_reference("a/b"),
        changes=["CMD sh", "LABEL x=y"],
        message="hello",
        platform=parse_platform("linux/arm64"),
    )
    assert await lab.names() == {image.id: ["a/b:latest"]}
    (short,) = lab.service.rootfs(image)
    assert lab.tree(short) == {"etc/hostname": b"h\n", "bin/sh": b"#!" * 100_000}
    found = await lab.service.inspect("a/b")
    assert found["Comment"] == "hello"
    assert found["Architecture"] == "arm64"
    assert found["RootFS"] == {"Type": "layers", "Layers": [digest_bytes(TAR)]}
    assert found["Size"] == 200_002
    assert lab.blobs() == {image.id, image.manifest_digest, digest_bytes(TAR)}
    assert [(action, event["name"]) for _, action, _, event in lab.events] == [
        ("tag", "a/b:latest"),
        ("import", image.id),
    ]
    assert all(event["x"] == "y" for *_, event in lab.events)
    assert not lab.leftovers()


async def test_without_a_name_it_is_dangling(lab: ImageLab) -> None:
    image = await lab.service.import_tar(chunks(TAR))
    assert await lab.names() == {image.id: []}
    assert str(image.platform) == str(host())
    assert (await lab.service.resolve(image.short_id)).id == image.id


async def test_from_a_descriptor(lab: ImageLab, tmp_path: Path) -> None:
    (tmp_path / "layer.tar").write_bytes(TAR)
    with open(tmp_path / "layer.tar", "rb") as file:
        image = await lab.service.import_tar(file.fileno(), parse_reference("a"))
    assert image.diff_ids == [digest_bytes(TAR)]


@pytest.mark.parametrize(
    ("compress", "kept"),
    [(gzip.compress, True), (lzma.compress, False), (bz2.compress, False)],
)
async def test_compressed(lab: ImageLab, compress: Callable[[bytes], bytes], kept: bool) -> None:
    data = compress(TAR)
    image = await lab.service.import_tar(chunks(data), parse_reference("a"))
    assert image.diff_ids == [digest_bytes(TAR)]
    assert image.manifest.layers[0].digest == digest_bytes(data if kept else TAR)
    assert image.manifest.layers[0].media_type.endswith("tar+gzip" if kept else "tar")
    assert image.manifest.layers[0].digest in lab.blobs()
    assert not lab.leftovers()


async def test_the_same_tar_twice_is_one_layer(lab: ImageLab) -> None:
    first = await lab.service.import_tar(chunks(TAR), parse_reference("a"))
    second = await lab.service.import_tar(chunks(TAR), parse_reference("a"))
    await lab.settled()
    assert first.id != second.id
    assert lab.service.rootfs(first) == lab.service.rootfs(second)
    assert len(lab.layers()) == 1
    assert (await lab.names())[first.id] == []


async def _empty(lab: ImageLab) -> None:
    await lab.settled()
    assert await lab.names() == {}
    assert not lab.layers()
    assert not lab.blobs()
    assert not lab.leftovers()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (TAR[: len(TAR) // 2], DataLoss),
        (b"garbage garbage", WindlassError),
        (b"x" * 4096, WindlassError),
        (gzip.compress(TAR)[:-20], DataLoss),
        (gzip.compress(TAR) + b"junk", DataLoss),
        (tar_of({"../../escape": b""}), InvalidParameter),
    ],
)
async def test_nothing_is_left_of_a_bad_tar(lab: ImageLab, data: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await lab.service.import_tar(chunks(data), parse_reference("a"))
    await _empty(lab)


async def test_nothing_is_left_of_a_body_that_breaks_off(lab: ImageLab) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield TAR[:100_000]
        raise Cancelled("the client went away")

    with pytest.raises(Cancelled):
        await lab.service.import_tar(broken(), parse_reference("a"))
    await _empty(lab)


async def test_a_bad_change_is_found_before_anything_is_read(lab: ImageLab) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(InvalidChange):
        await lab.service.import_tar(unread(), parse_reference("a"), changes=["FROM x"])
    with pytest.raises(NoSuchImage, match="No such image: a:latest"):
        await lab.service.resolve("a")
