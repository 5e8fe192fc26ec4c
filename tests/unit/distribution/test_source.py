"""Reading from a registry that behaves, and from ones that do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from tests.support.fake_registry import FakeRegistry, fake_registry, refusal
from tests.support.image_files import SmallImage, small_image

from windlass.base.errors import DataLoss, InvalidParameter
from windlass.content.blobs import BlobStore
from windlass.distribution.endpoints import RegistrySettings
from windlass.distribution.errors import ContentMismatch, RegistryRefused, RegistryUnreachable
from windlass.distribution.source import Retry, Source, open_source
from windlass.distribution.transport import Timeouts, Transport
from windlass.spec.digest import Digest, digest_bytes
from windlass.spec.image import MANIFEST_LIMIT_BYTES, Descriptor
from windlass.spec.reference import ImageRef

BLOB = bytes(range(256)) * 20_000
DESCRIPTOR = Descriptor("application/octet-stream", digest_bytes(BLOB), len(BLOB))
RETRY = Retry(attempts=3, first_pause_s=0.001)


@dataclass
class Lab:
    """A registry, a store, and what it takes to get from one to the other."""

    registry: FakeRegistry
    blobs: BlobStore
    transport: Transport

    def source(self, mirrors: tuple[str, ...] = ()) -> Source:
        if mirrors:
            ref = ImageRef("docker.io", "library/a")
            return open_source(self.transport, ref, RegistrySettings(mirrors=mirrors), retry=RETRY)
        return open_source(self.transport, ImageRef(self.registry.host, "a/b"), RegistrySettings(), retry=RETRY)

    def ingests(self) -> list[Path]:
        return list(Path(self.blobs.directory).parent.joinpath("ingest").iterdir())


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with fake_registry() as registry:
        transport = Transport(Timeouts(connect_s=2, idle_s=0.3))
        yield Lab(registry, BlobStore(str(tmp_path)), transport)
        await transport.close()


@pytest.fixture
def image() -> SmallImage:
    return small_image({"a": b"1"}, compressed=True)


async def test_a_manifest_comes_as_its_raw_bytes(lab: Lab, image: SmallImage) -> None:
    digest = lab.registry.add(image, "1")
    for reference in ("1", digest):
        found = await lab.source().manifest(reference)
        assert (found.raw, found.digest) == (image.manifest, digest)


async def test_a_manifest_of_other_bytes_than_asked_for_is_refused(lab: Lab, image: SmallImage) -> None:
    wanted = digest_bytes(b"something else")
    lab.registry.manifests[wanted] = ("application/json", image.manifest)
    with pytest.raises(ContentMismatch, match="manifest verification failed"):
        await lab.source().manifest(wanted)


async def test_a_manifest_of_another_size_than_its_descriptor_says_is_refused(lab: Lab, image: SmallImage) -> None:
    digest = lab.registry.add(image, "1")
    with pytest.raises(ContentMismatch):
        await lab.source().manifest(digest, 7)


async def test_no_more_than_a_manifest_is_read(lab: Lab) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse | None:
        nonlocal sent
        if "/manifests/" not in request.path:
            return None
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 100 * MANIFEST_LIMIT_BYTES:
            await response.write(b" " * 65536)
            sent += 65536
        return response

    lab.registry.fault = endless
    with pytest.raises(InvalidParameter, match="manifest size exceeds the limit"):
        await lab.source().manifest("1")
    assert sent < 20 * MANIFEST_LIMIT_BYTES


async def test_hiccups_are_survived(lab: Lab, image: SmallImage) -> None:
    lab.registry.add(image, "1")
    lab.registry.blobs[DESCRIPTOR.digest] = BLOB
    left = {"manifests": 2, "blobs": 2}

    async def hiccup(request: web.Request) -> web.StreamResponse | None:
        kind = request.path.split("/")[-2] if request.path != "/v2/" else ""
        if left.get(kind, 0):
            left[kind] -= 1
            return web.Response(status=503)
        return None

    lab.registry.fault = hiccup
    await lab.source().manifest("1")
    await lab.source().fetch(DESCRIPTOR, lab.blobs)
    assert left == {"manifests": 0, "blobs": 0}


async def test_lasting_errors_are_told(lab: Lab) -> None:
    async def broken(request: web.Request) -> web.StreamResponse | None:
        return None if request.path == "/v2/" else web.Response(status=500)

    lab.registry.fault = broken
    with pytest.raises(RegistryRefused, match="received unexpected HTTP status: 500 Internal Server Error"):
        await lab.source().manifest("1")
    with pytest.raises(RegistryRefused):
        await lab.source().fetch(DESCRIPTOR, lab.blobs)


async def test_what_is_not_there_is_not_asked_for_twice(lab: Lab) -> None:
    with pytest.raises(RegistryRefused, match="manifest unknown: manifest unknown"):
        await lab.source().manifest("none")
    assert len(lab.registry.asked("/manifests/")) == 1
    with pytest.raises(RegistryRefused):
        await lab.source().fetch(DESCRIPTOR, lab.blobs)
    assert len(lab.registry.asked("/blobs/")) == 1


async def test_a_blob_is_stored_and_progress_told(lab: Lab) -> None:
    lab.registry.blobs[DESCRIPTOR.digest] = BLOB
    counts: list[int] = []
    await lab.source().fetch(DESCRIPTOR, lab.blobs, counts.append)
    assert lab.blobs.read_verified(Digest(DESCRIPTOR.digest), len(BLOB)) == BLOB
    assert counts == sorted(counts)
    assert counts[-1] == len(BLOB)
    assert not lab.ingests()


async def test_a_blob_that_breaks_off_goes_on_where_it_was(lab: Lab) -> None:
    lab.registry.blobs[DESCRIPTOR.digest] = BLOB
    cut = len(BLOB) // 2

    async def cut_first(request: web.Request) -> web.StreamResponse | None:
        if "/blobs/" not in request.path or "Range" in request.headers:
            return None
        response = web.StreamResponse(headers={"Content-Length": str(len(BLOB))})
        await response.prepare(request)
        await response.write(BLOB[:cut])
        assert request.transport is not None
        request.transport.close()
        return response

    lab.registry.fault = cut_first
    await lab.source().fetch(DESCRIPTOR, lab.blobs)
    first, *_, last = lab.registry.asked("/blobs/")
    assert "Range" not in first.headers
    assert 0 < int(last.headers["Range"].removeprefix("bytes=").rstrip("-")) <= cut
    assert lab.blobs.read_verified(Digest(DESCRIPTOR.digest), len(BLOB)) == BLOB


async def test_what_an_earlier_daemon_left_is_used(lab: Lab) -> None:
    lab.registry.blobs[DESCRIPTOR.digest] = BLOB
    digest = Digest(DESCRIPTOR.digest)
    with lab.blobs.ingest(digest, digest, len(BLOB)) as ingest:
        ingest.write(BLOB[:1000])
    await lab.source().fetch(DESCRIPTOR, lab.blobs)
    (request,) = lab.registry.asked("/blobs/")
    assert request.headers["Range"] == "bytes=1000-"
    assert lab.blobs.exists(digest)


async def test_a_server_that_cannot_resume_starts_over(lab: Lab) -> None:
    digest = Digest(DESCRIPTOR.digest)
    with lab.blobs.ingest(digest, digest, len(BLOB)) as ingest:
        ingest.write(BLOB[:1000])

    async def whole(request: web.Request) -> web.StreamResponse | None:
        return web.Response(body=BLOB) if "/blobs/" in request.path else None

    lab.registry.fault = whole
    await lab.source().fetch(DESCRIPTOR, lab.blobs)
    assert lab.blobs.read_verified(digest, len(BLOB)) == BLOB


@pytest.mark.parametrize("body", [BLOB[:-1], BLOB + b"x", BLOB[:-1] + b"?", b""])
async def test_other_bytes_are_never_stored(lab: Lab, body: bytes) -> None:
    lab.registry.blobs[DESCRIPTOR.digest] = body
    with pytest.raises(DataLoss, match="filesystem layer verification failed for digest sha256:"):
        await lab.source().fetch(DESCRIPTOR, lab.blobs)
    assert not lab.blobs.exists(Digest(DESCRIPTOR.digest))
    assert not lab.ingests()


async def test_a_registry_that_falls_silent_is_given_up(lab: Lab) -> None:
    async def silent(request: web.Request) -> web.StreamResponse | None:
        if request.path == "/v2/":
            return None
        await asyncio.Event().wait()
        return None

    lab.registry.fault = silent
    with pytest.raises(RegistryUnreachable, match="timeout awaiting response headers"):
        await lab.source().manifest("1")


async def test_nobody_there_is_said_as_docker_says_it(lab: Lab, unused_tcp_port: int) -> None:
    source = open_source(lab.transport, ImageRef(f"127.0.0.1:{unused_tcp_port}", "a"), RegistrySettings(), retry=RETRY)
    with pytest.raises(RegistryUnreachable) as raised:
        await source.manifest("1")
    address = f"127.0.0.1:{unused_tcp_port}"
    assert raised.value.message == f'Get "http://{address}/v2/": dial tcp {address}: connect: connection refused'


async def test_no_such_host_is_said_as_docker_says_it(lab: Lab) -> None:
    source = open_source(lab.transport, ImageRef("nosuch.invalid", "a"), RegistrySettings(), retry=RETRY)
    with pytest.raises(RegistryUnreachable) as raised:
        await source.manifest("1")
    text = 'Get "https://nosuch.invalid/v2/": dial tcp: lookup nosuch.invalid: no such host'
    assert raised.value.message == text


async def test_mirrors_are_asked_in_order_and_each_blob_anew(tmp_path: Path, image: SmallImage) -> None:
    async with fake_registry() as dead, fake_registry() as poor, fake_registry() as rich:

        async def no_service(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=502)

        dead.fault = no_service
        poor.add(image, "1")
        poor.blobs.clear()
        rich.blobs[DESCRIPTOR.digest] = BLOB
        transport = Transport()
        lab = Lab(dead, BlobStore(str(tmp_path)), transport)
        source = lab.source(mirrors=tuple(f"http://{each.host}" for each in (dead, poor, rich)))
        assert (await source.manifest("1")).raw == image.manifest
        await source.fetch(DESCRIPTOR, lab.blobs)
        await transport.close()
        assert len(poor.asked("/manifests/")) == 1
        assert not rich.asked("/manifests/")
        assert rich.asked("/blobs/")
        assert lab.blobs.exists(Digest(DESCRIPTOR.digest))


async def test_a_refusal_names_what_the_registry_said(lab: Lab) -> None:
    async def limited(request: web.Request) -> web.StreamResponse | None:
        return None if request.path == "/v2/" else refusal(429, "TOOMANYREQUESTS", "come back tomorrow")

    lab.registry.fault = limited
    with pytest.raises(RegistryRefused, match="toomanyrequests: come back tomorrow"):
        await lab.source().manifest("1")
    assert len(lab.registry.asked("/manifests/")) == 1
