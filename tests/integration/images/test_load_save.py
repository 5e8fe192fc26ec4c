"""`docker load` and `docker save` with real workers, and other people's tools as readers and writers."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zstandard
from tests.support.image_files import (
    descriptor,
    docker_archive,
    oci_archive,
    oci_files,
    small_image,
    tar_of,
)
from tests.support.image_lab import ImageLab, chunks, image_lab

from windlass.base.errors import Cancelled, DataLoss, InvalidParameter, WindlassError
from windlass.images.image import NoSuchImage
from windlass.runtime.zygote import ZygoteLauncher
from windlass.spec import media_types
from windlass.spec.digest import digest_bytes
from windlass.spec.platform import parse_platform

pytestmark = pytest.mark.root

BASE = {"base": b"base" * 1000}
FIRST, SECOND = small_image(BASE, {"a": b"1"}), small_image(BASE, {"b": b"2"})
PACKED = small_image(BASE, {"a": b"1"}, compressed=True)


async def _load(lab: ImageLab, data: bytes, **options: object) -> list[str]:
    return [image.id for image in await lab.service.load(chunks(data), lab.said.append, **options)]  # type: ignore[arg-type]


async def _save(lab: ImageLab, *names: str) -> bytes:
    return b"".join([chunk async for chunk in (await lab.service.save(names)).chunks()])


async def test_dockers_archive_with_two_images_and_a_shared_layer(lab: ImageLab) -> None:
    data = docker_archive((FIRST, ["a:1", "b/c:2"]), (SECOND, ["d:1"]))
    assert await _load(lab, data) == [FIRST.id, SECOND.id]
    assert await lab.names() == {FIRST.id: ["a:1", "b/c:2"], SECOND.id: ["d:1"]}
    assert len(lab.layers()) == 3
    assert lab.statuses()[-3:] == ["Loaded image: a:1", "Loaded image: b/c:2", "Loaded image: d:1"]
    assert "Loading layer" in lab.statuses()
    assert [(action, actor) for _, action, actor, _ in lab.events] == [("load", FIRST.id), ("load", SECOND.id)]
    top, bottom = lab.service.layers_of(FIRST.id)
    assert lab.tree(top) == {"a": b"1"}
    assert lab.tree(bottom) == BASE
    assert not lab.leftovers()


async def test_quiet_and_without_names(lab: ImageLab) -> None:
    await _load(lab, docker_archive((FIRST, [])), quiet=True)
    assert lab.statuses() == [f"Loaded image ID: {FIRST.id}"]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
async def test_an_archive_may_be_compressed(lab: ImageLab, compress) -> None:  # type: ignore[no-untyped-def]
    assert await _load(lab, compress(oci_archive(FIRST, "docker.io/library/a:1"))) == [FIRST.id]
    assert await lab.names() == {FIRST.id: ["a:1"]}


async def test_compressed_layers_stay_so_and_manifests_keep_their_digest(lab: ImageLab) -> None:
    (image_id,) = await _load(lab, oci_archive(PACKED))
    image = await lab.service.resolve(image_id)
    assert image.manifest_digest == digest_bytes(PACKED.manifest)
    assert lab.blobs() == set(PACKED.blobs())
    assert image.diff_ids == [digest_bytes(diff) for diff in PACKED.diffs]


async def test_layers_that_are_there_are_not_loaded_again(lab: ImageLab) -> None:
    await _load(lab, docker_archive((FIRST, ["a:1"])))
    lab.said.clear()
    await _load(lab, oci_archive(PACKED, "docker.io/library/b:1"))
    assert "Loading layer" not in lab.statuses()
    # The second one's archives were not kept, so that its images' manifests name what is.
    assert len(lab.layers()) == 2
    saved = await _save(lab, "b:1")
    async with _other(lab) as other:
        assert await _load(other, saved) == [PACKED.id]


def _other(lab: ImageLab):  # type: ignore[no-untyped-def]
    launcher = lab.service._shelf.launcher
    assert isinstance(launcher, ZygoteLauncher)
    return image_lab(lab.root.parent / "other", launcher)


async def test_a_name_that_moves_is_told(lab: ImageLab) -> None:
    await _load(lab, docker_archive((FIRST, ["a:1"])))
    await _load(lab, docker_archive((SECOND, ["a:1"])))
    moved = f"The image a:1 already exists, renaming the old one with ID {FIRST.id} to empty string"
    assert moved in lab.statuses()
    assert await lab.names() == {FIRST.id: [], SECOND.id: ["a:1"]}


async def test_the_platform_chooses(lab: ImageLab) -> None:
    other = small_image({"a": b"arm"}, architecture="arm64")
    data = docker_archive((FIRST, ["a:1"]), (other, ["a:arm"]))
    assert await _load(lab, data, platform=parse_platform("linux/arm64")) == [other.id]


def _wrong_diff_id() -> bytes:
    lying = small_image(BASE, {"a": b"1"}, diff_ids=[digest_bytes(b"x"), digest_bytes(b"y")])
    return docker_archive((FIRST, ["good:1"]), (lying, ["bad:1"]))


def _second_layer_escapes() -> bytes:
    return docker_archive((FIRST, ["good:1"]), (small_image(BASE, {"../../escape": b""}), ["bad:1"]))


def _unknown_blob() -> bytes:
    blobs = FIRST.blobs()
    del blobs[digest_bytes(FIRST.layers[1])]
    return tar_of(oci_files(blobs, [descriptor(media_types.OCI_MANIFEST, FIRST.manifest)]))


def _too_many_entries() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number in range(9000):
            entry = tarfile.TarInfo(f"{number}")
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
    return buffer.getvalue()


def _device_for_a_config() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("manifest.json")
        entry.type = tarfile.CHRTYPE
        archive.addfile(entry)
    return buffer.getvalue()


def _link_to_the_host() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("manifest.json")
        entry.type = tarfile.SYMTYPE
        entry.linkname = "/etc/passwd"
        archive.addfile(entry)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", InvalidParameter),
        (b"garbage", WindlassError),
        (tar_of({"bin/sh": b""}), InvalidParameter),
        (docker_archive((FIRST, ["a:1"]))[:4000], DataLoss),
        (gzip.compress(docker_archive((FIRST, ["a:1"])))[:-9], DataLoss),
        (tar_of({"../manifest.json": b"[]"}), InvalidParameter),
        (_too_many_entries(), InvalidParameter),
        (_wrong_diff_id(), DataLoss),
        (_second_layer_escapes(), InvalidParameter),
        (_unknown_blob(), InvalidParameter),
        (_device_for_a_config(), InvalidParameter),
        (_link_to_the_host(), InvalidParameter),
    ],
)
async def test_of_a_bad_archive_nothing_is_left(lab: ImageLab, data: bytes, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await _load(lab, data)
    await lab.settled()
    assert await lab.names() == {}
    assert not lab.layers()
    assert not lab.blobs()
    assert not lab.leftovers()


async def test_a_body_that_breaks_off_leaves_nothing(lab: ImageLab) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield docker_archive((FIRST, ["a:1"]))[:3000]
        raise Cancelled("the client went away")

    with pytest.raises(Cancelled):
        await lab.service.load(broken(), lab.said.append)
    await lab.settled()
    assert not lab.leftovers()
    assert not lab.blobs()


async def test_what_was_saved_loads_and_is_the_same_bytes_again(lab: ImageLab) -> None:
    await _load(lab, docker_archive((FIRST, ["a:1", "a:2"]), (SECOND, ["d:1"])))
    saved = await _save(lab, "a", "d:1")
    assert await _save(lab, "a", "d:1") == saved
    assert [event[1] for event in lab.events[-2:]] == ["save", "save"]
    async with _other(lab) as other:
        assert set(await _load(other, saved)) == {FIRST.id, SECOND.id}
        assert await other.names() == await lab.names()
        assert await _save(other, "a", "d:1") == saved


async def test_saved_by_id_it_has_no_name(lab: ImageLab) -> None:
    await _load(lab, docker_archive((FIRST, ["a:1"])))
    saved = await _save(lab, FIRST.id[7:19])
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        member = archive.extractfile("manifest.json")
        assert member is not None
        assert json.load(member)[0]["RepoTags"] is None
        assert "repositories" not in archive.getnames()


async def test_saving_what_is_not_there(lab: ImageLab) -> None:
    with pytest.raises(NoSuchImage, match="No such image: nope"):
        await lab.service.save(["nope"])


async def test_a_reader_that_goes_away(lab: ImageLab) -> None:
    big = small_image({"big": os.urandom(3 << 20)})
    await _load(lab, docker_archive((big, ["a:1"])))
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    with pytest.raises(Cancelled):
        await (await lab.service.save(["a:1"])).write_to(write_fd)
    os.close(write_fd)


async def _saved_file(lab: ImageLab, path: Path) -> Path:
    await _load(lab, oci_archive(PACKED, "docker.io/library/a:1"))
    await _load(lab, docker_archive((SECOND, ["d:1"])))
    with open(path, "wb") as file:
        assert await (await lab.service.save(["a:1", "d:1"])).write_to(file.fileno()) == path.stat().st_size
    return path


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
needs_umoci = pytest.mark.skipif(shutil.which("umoci") is None, reason="needs umoci")


@needs_skopeo
async def test_skopeo_reads_both_forms(lab: ImageLab, tmp_path: Path) -> None:
    path = await _saved_file(lab, tmp_path / "saved.tar")
    found = json.loads(_run("skopeo", "inspect", "--config", f"docker-archive:{path}:d:1"))
    assert found["rootfs"]["diff_ids"] == [digest_bytes(diff) for diff in SECOND.diffs]
    (tmp_path / "layout").mkdir()
    _run("tar", "-xf", str(path), "-C", str(tmp_path / "layout"))
    index = json.loads((tmp_path / "layout/index.json").read_text())
    assert {entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]} == {
        "docker.io/library/a:1",
        "docker.io/library/d:1",
    }
    for source in (f"docker-archive:{path}:a:1", f"docker-archive:{path}:d:1"):
        _run("skopeo", "copy", "--insecure-policy", source, f"oci:{tmp_path}/copied:x")


@needs_skopeo
async def test_skopeo_reads_one_image_as_an_oci_archive(lab: ImageLab, tmp_path: Path) -> None:
    await _load(lab, oci_archive(PACKED, "docker.io/library/a:1"))
    with open(tmp_path / "one.tar", "wb") as file:
        await (await lab.service.save(["a:1"])).write_to(file.fileno())
    raw = _run("skopeo", "inspect", "--raw", f"oci-archive:{tmp_path}/one.tar")
    assert raw.encode() == PACKED.manifest


@needs_umoci
async def test_umoci_unpacks_a_saved_layout(lab: ImageLab, tmp_path: Path) -> None:
    await _load(lab, oci_archive(PACKED, "docker.io/library/a:1"))
    with open(tmp_path / "saved.tar", "wb") as file:
        await (await lab.service.save(["a:1"])).write_to(file.fileno())
    (tmp_path / "layout").mkdir()
    _run("tar", "-xf", f"{tmp_path}/saved.tar", "-C", f"{tmp_path}/layout")
    _run("umoci", "unpack", "--image", f"{tmp_path}/layout:1", f"{tmp_path}/bundle")
    assert (tmp_path / "bundle/rootfs/a").read_bytes() == b"1"


@needs_skopeo
async def test_what_skopeo_writes_is_loaded(lab: ImageLab, tmp_path: Path) -> None:
    source = tmp_path / "source.tar"
    source.write_bytes(docker_archive((FIRST, ["a:1"])))
    for kind, name in (("docker-archive", "b:1"), ("oci-archive", "c:1")):
        target = tmp_path / f"{kind}.tar"
        _run(
            "skopeo",
            "copy",
            "--insecure-policy",
            f"docker-archive:{source}",
            f"{kind}:{target}:docker.io/library/{name}",
        )
        (image,) = await lab.service.load(chunks(target.read_bytes()), lab.said.append)
        assert image.diff_ids == [digest_bytes(diff) for diff in FIRST.diffs]
        assert f"Loaded image: {name}" in lab.statuses()
