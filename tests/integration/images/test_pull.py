"""`docker pull` with real workers, from registries good and bad."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web
from tests.support.fake_registry import FakeRegistry, refusal
from tests.support.image_files import descriptor, docker_archive, small_image
from tests.support.image_lab import ImageLab, image_lab
from tests.support.real_registry import docker_registry, push

from windlass.base.errors import DataLoss, InvalidParameter, NotFound, WindlassError
from windlass.images.image import Image
from windlass.runtime.zygote import ZygoteLauncher
from windlass.spec import media_types
from windlass.spec.digest import digest_bytes
from windlass.spec.platform import Platform
from windlass.spec.reference import parse_reference

pytestmark = pytest.mark.root

BASE = {"base": b"base" * 1000}
FIRST = small_image(BASE, {"a": b"1"}, compressed=True, labels={"l": "v"})
SECOND = small_image(BASE, {"b": b"2"}, compressed=True)
ARM = small_image({"a": b"arm"}, architecture="arm64")


async def _pull(lab: ImageLab, name: str, platform: Platform | None = None) -> Image:
    return await lab.service.pull(parse_reference(name), lab.said.append, platform=platform)


async def test_an_image_with_all_that_is_told(lab: ImageLab, registry: FakeRegistry) -> None:
    digest = registry.add(FIRST, "1")
    name = f"{registry.host}/a/b:1"
    image = await _pull(lab, name)
    assert image.id == FIRST.id
    assert lab.blobs() == set(FIRST.blobs())
    top, bottom = lab.service.rootfs(image)
    assert (lab.tree(top), lab.tree(bottom)) == ({"a": b"1"}, BASE)
    (summary,) = await lab.service.list()
    assert summary["RepoTags"] == [name]
    assert summary["RepoDigests"] == [f"{registry.host}/a/b@{digest}"]
    statuses = lab.statuses()
    assert statuses[0] == "Pulling from a/b"
    assert statuses[-2:] == [f"Digest: {digest}", f"Status: Downloaded newer image for {name}"]
    for layer in FIRST.layers:
        layer_id = digest_bytes(layer)[7:19]
        told = [message["status"] for message in lab.said if message.get("id") == layer_id]
        wanted = ["Pulling fs layer", "Downloading", "Verifying Checksum", "Download complete", "Extracting"]
        assert [status for status in dict.fromkeys(told) if status != "Waiting"] == [*wanted, "Pull complete"]
    assert lab.events == [("image", "pull", name, {"l": "v", "name": f"{registry.host}/a/b"})]
    assert (await lab.service.inspect(name))["Metadata"] == {"LastTagTime": "0001-01-01T00:00:00Z"}


async def test_again_it_is_up_to_date(lab: ImageLab, registry: FakeRegistry) -> None:
    registry.add(FIRST, "latest")
    await _pull(lab, f"{registry.host}/a")
    registry.requests.clear()
    await _pull(lab, f"{registry.host}/a")
    assert lab.statuses()[-1] == f"Status: Image is up to date for {registry.host}/a:latest"
    assert not registry.asked("/blobs/")


async def test_shared_layers_are_not_asked_for(lab: ImageLab, registry: FakeRegistry) -> None:
    registry.add(FIRST, "1")
    registry.add(SECOND, "2")
    await _pull(lab, f"{registry.host}/a:1")
    await _pull(lab, f"{registry.host}/a:2")
    assert len(registry.asked(digest_bytes(FIRST.layers[0]))) == 1
    assert "Already exists" in lab.statuses()


async def test_two_at_once_fetch_a_layer_once(lab: ImageLab, registry: FakeRegistry) -> None:
    registry.add(FIRST, "1")
    registry.add(SECOND, "2")
    await asyncio.gather(*(_pull(lab, f"{registry.host}/a:{tag}") for tag in (1, 2, 1)))
    for layer in (*FIRST.layers, *SECOND.layers):
        assert len(registry.asked(digest_bytes(layer))) == 1
    assert len(lab.layers()) == 3


async def test_by_digest(lab: ImageLab, registry: FakeRegistry) -> None:
    digest = registry.add(FIRST, "1")
    await _pull(lab, f"{registry.host}/a@{digest}")
    (summary,) = await lab.service.list()
    assert summary["RepoTags"] == []
    assert summary["RepoDigests"] == [f"{registry.host}/a@{digest}"]
    await _pull(lab, f"{registry.host}/a:1")
    removed = await lab.service.remove(f"{registry.host}/a:1", lab.users_of)
    assert removed[:2] == [{"Untagged": f"{registry.host}/a:1"}, {"Untagged": f"{registry.host}/a@{digest}"}]


def _index(registry: FakeRegistry, tag: str) -> str:
    registry.add(FIRST, "amd64")
    registry.add(ARM, "arm64")
    attestation = descriptor(
        media_types.OCI_MANIFEST,
        b"{}",
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest"},
    )
    entries = [
        descriptor(media_types.OCI_MANIFEST, ARM.manifest, platform={"os": "linux", "architecture": "arm64"}),
        attestation,
        descriptor(media_types.OCI_MANIFEST, FIRST.manifest, platform={"os": "linux", "architecture": "amd64"}),
    ]
    raw = json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}).encode()
    return registry.add_manifest(raw, tag, media_types.OCI_INDEX)


async def test_an_index_gives_the_image_of_the_platform(lab: ImageLab, registry: FakeRegistry) -> None:
    digest = _index(registry, "multi")
    amd64 = await _pull(lab, f"{registry.host}/a:multi", Platform(os="linux", architecture="amd64"))
    assert amd64.id == FIRST.id
    assert amd64.manifest_digest == digest_bytes(FIRST.manifest)
    assert (await lab.service.list())[0]["RepoDigests"] == [f"{registry.host}/a@{digest}"]
    arm64 = await _pull(lab, f"{registry.host}/a:multi", Platform(os="linux", architecture="arm64"))
    assert arm64.id == ARM.id
    with pytest.raises(InvalidParameter, match="no matching manifest for linux/s390x in the manifest list entries"):
        await _pull(lab, f"{registry.host}/a:multi", Platform(os="linux", architecture="s390x"))


async def _assert_empty(lab: ImageLab) -> None:
    await lab.settled()
    assert await lab.names() == {}
    assert not lab.layers()


@pytest.mark.parametrize(
    ("reference", "kind", "message"),
    [
        ("a/b:none", NotFound, "manifest for {host}/a/b:none not found: manifest unknown: manifest unknown"),
        (
            "a/b@sha256:" + "0" * 64,
            NotFound,
            "manifest for {host}/a/b@sha256:" + "0" * 64 + " not found: manifest unknown: manifest unknown",
        ),
    ],
)
async def test_what_is_not_there(
    lab: ImageLab, registry: FakeRegistry, reference: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as raised:
        await _pull(lab, f"{registry.host}/{reference}")
    assert str(raised.value) == message.format(host=registry.host)


async def test_what_is_not_shown(lab: ImageLab, registry: FakeRegistry) -> None:
    async def denied(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/v2/":
            return None
        return refusal(403, "DENIED", "requested access to the resource is denied")

    registry.fault = denied
    with pytest.raises(NotFound) as raised:
        await _pull(lab, f"{registry.host}/a:1")
    assert raised.value.message == (
        f"pull access denied for {registry.host}/a, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied"
    )


async def test_a_layer_that_is_another_than_the_configuration_names(lab: ImageLab, registry: FakeRegistry) -> None:
    lying = small_image(BASE, diff_ids=[digest_bytes(b"x")])
    registry.add(lying, "1")
    with pytest.raises(DataLoss, match="invalid diffID for layer 0"):
        await _pull(lab, f"{registry.host}/a:1")
    await _assert_empty(lab)


async def test_a_forged_layer(lab: ImageLab, registry: FakeRegistry) -> None:
    registry.add(FIRST, "1")
    registry.blobs[digest_bytes(FIRST.layers[1])] = FIRST.layers[0]
    with pytest.raises(DataLoss, match="filesystem layer verification failed"):
        await _pull(lab, f"{registry.host}/a:1")
    await lab.settled()
    assert await lab.names() == {}


async def test_a_layer_that_leaves_its_root(lab: ImageLab, registry: FakeRegistry) -> None:
    registry.add(small_image({"../../escape": b""}), "1")
    with pytest.raises(InvalidParameter):
        await _pull(lab, f"{registry.host}/a:1")
    await _assert_empty(lab)


async def test_indexes_that_go_on_and_on(lab: ImageLab, registry: FakeRegistry) -> None:
    raw, kind = FIRST.manifest, media_types.OCI_MANIFEST
    registry.add(FIRST, "x")
    for _ in range(9):
        entry = descriptor(kind, raw, platform={"os": "linux", "architecture": "amd64"})
        raw = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
        kind = media_types.OCI_INDEX
        registry.add_manifest(raw, "deep", kind)
    with pytest.raises(InvalidParameter, match="nested too deeply"):
        await _pull(lab, f"{registry.host}/a:deep", Platform(os="linux", architecture="amd64"))


async def test_an_index_that_names_itself(lab: ImageLab, registry: FakeRegistry) -> None:
    """No index can hold its own digest; one that a registry serves under a digest it has not is refused."""
    own = "sha256:" + "1" * 64
    entry = {"mediaType": media_types.OCI_INDEX, "digest": own, "size": 300}
    entry["platform"] = {"os": "linux", "architecture": "amd64"}
    raw = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    registry.manifests["me"] = registry.manifests[own] = (media_types.OCI_INDEX, raw)
    with pytest.raises(WindlassError, match="manifest verification failed"):
        await _pull(lab, f"{registry.host}/a:me", Platform(os="linux", architecture="amd64"))


async def test_a_cut_pull_goes_on_after_a_restart(
    tmp_path: Path, launcher: ZygoteLauncher, registry: FakeRegistry
) -> None:
    registry.add(FIRST, "1")
    second = digest_bytes(FIRST.layers[1])
    reached = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse | None:
        if second not in request.path:
            return None
        response = web.StreamResponse(headers={"Content-Length": str(len(FIRST.layers[1]))})
        await response.prepare(request)
        await response.write(FIRST.layers[1][:50])
        reached.set()
        await asyncio.Event().wait()
        return response

    registry.fault = hang
    async with image_lab(tmp_path / "data", launcher) as lab:
        complete = asyncio.Event()

        def told(message: Mapping[str, object]) -> None:
            if message.get("status") == "Pull complete":
                complete.set()

        pulling = asyncio.ensure_future(lab.service.pull(parse_reference(f"{registry.host}/a:1"), told))
        await reached.wait()
        await complete.wait()
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
        await lab.settled()
        assert await lab.names() == {}
    registry.fault = None
    registry.requests.clear()
    async with image_lab(tmp_path / "data", launcher) as lab:
        assert len(lab.layers()) == 1
        await _pull(lab, f"{registry.host}/a:1")
        await lab.settled()
        assert not lab.leftovers()
        held = await lab.database.read(lambda c: c.execute("SELECT count(*) FROM leases").fetchone())
        assert held == (0,)
    assert not registry.asked(digest_bytes(FIRST.layers[0]))
    (request,) = registry.asked(second)
    assert request.headers["Range"] == "bytes=50-"


@pytest.fixture
def real_registry(tmp_path: Path, unused_tcp_port: int) -> Iterator[str]:
    """Debian's docker-registry with one image in both formats; yields its host and port."""
    archive = docker_archive((small_image(BASE, {"a": b"1"}), ["a:1"]))
    with docker_registry(tmp_path, unused_tcp_port) as host:
        for kind in ("oci", "v2s2"):
            push(archive, f"{host}/a/b:{kind}", kind, tmp_path)
        yield host


@pytest.mark.parametrize("kind", ["oci", "v2s2"])
async def test_from_debians_registry(lab: ImageLab, real_registry: str, kind: str) -> None:
    image = await _pull(lab, f"{real_registry}/a/b:{kind}")
    assert image.diff_ids == [digest_bytes(diff) for diff in small_image(BASE, {"a": b"1"}).diffs]
    assert lab.tree(lab.service.rootfs(image)[0]) == {"a": b"1"}
    with pytest.raises(NotFound) as raised:
        await _pull(lab, f"{real_registry}/a/b:none")
    text = f"manifest for {real_registry}/a/b:none not found: manifest unknown: manifest unknown"
    assert raised.value.message == text


async def test_hello_comes_out_of_the_package(lab: ImageLab) -> None:
    await lab.service.ensure_embedded()
    hello = await lab.service.resolve("windlass/hello")
    assert list(lab.tree(lab.service.rootfs(hello)[0])) == ["hello"]
    await lab.service.remove("windlass/hello", lab.users_of)
    assert (await _pull(lab, "windlass/hello")).id == hello.id
