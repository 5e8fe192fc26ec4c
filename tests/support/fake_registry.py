"""A registry for tests, with faults to order. Serves on a loopback port and remembers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from tests.support.image_files import SmallImage

from windlass.spec import media_types
from windlass.spec.digest import digest_bytes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class FakeRegistry:
    """Manifests by tag and digest, blobs by digest. A `fault` is asked first, and may answer in its place."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    fault: Fault | None = None
    port: int = 0

    @property
    def host(self) -> str:
        """Address and port."""
        return f"127.0.0.1:{self.port}"

    def add(self, image: SmallImage, tag: str) -> str:
        """Serve an image; return its manifest's digest."""
        self.blobs |= image.blobs()
        return self.add_manifest(image.manifest, tag)

    def add_manifest(self, raw: bytes, tag: str, media_type: str = media_types.OCI_MANIFEST) -> str:
        """Serve a manifest or an index; return its digest."""
        digest = digest_bytes(raw)
        self.manifests[tag] = self.manifests[digest] = (media_type, raw)
        return digest

    def asked(self, part: str) -> list[web.Request]:
        """The requests whose path has `part`."""
        return [request for request in self.requests if part in request.path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.requests.append(request)
        if self.fault is not None and (answer := await self.fault(request)) is not None:
            return answer
        kind, _, key = request.path.rpartition("/")
        if request.path == "/v2/":
            return web.Response(text="{}")
        if kind.endswith("/manifests") and key in self.manifests:
            media_type, raw = self.manifests[key]
            return web.Response(body=raw, content_type=media_type, headers={"Docker-Content-Digest": digest_bytes(raw)})
        if kind.endswith("/blobs") and key in self.blobs:
            return _ranged(request, self.blobs[key])
        code = "MANIFEST_UNKNOWN" if kind.endswith("/manifests") else "BLOB_UNKNOWN"
        return refusal(404, code, code.replace("_", " ").lower())


def refusal(status: int, code: str, message: str, **headers: str) -> web.Response:
    """An error as registries put it."""
    body = {"errors": [{"code": code, "message": message}]}
    return web.json_response(body, status=status, headers={name.replace("_", "-"): v for name, v in headers.items()})


def _ranged(request: web.Request, data: bytes) -> web.Response:
    start = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0]
    if "Range" not in request.headers:
        return web.Response(body=data)
    offset = int(start)
    content_range = f"bytes {offset}-{len(data) - 1}/{len(data)}"
    return web.Response(body=data[offset:], status=206, headers={"Content-Range": content_range})


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """Serve `handler` for every path on a port of its own; yields the port."""
    app = web.Application(client_max_size=1 << 20)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    try:
        await site.start()
        assert site._server is not None
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fake_registry() -> AsyncIterator[FakeRegistry]:
    """A registry that serves while the block runs."""
    registry = FakeRegistry()
    async with serving(registry.handle) as registry.port:
        yield registry
