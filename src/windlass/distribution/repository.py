"""One repository at one endpoint: its manifests and its blobs.

Source: OCI distribution-spec v1.1, "Pull".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from windlass.distribution.challenge import parse_challenges
from windlass.distribution.credentials import Credentials
from windlass.distribution.endpoints import Endpoint
from windlass.distribution.errors import (
    ContentMismatch,
    ManifestTooLarge,
    RegistryUnreachable,
    parse_refusal,
)
from windlass.distribution.tokens import Authorizer, read_bounded
from windlass.distribution.transport import Transport
from windlass.spec import media_types
from windlass.spec.digest import Digest, digest_bytes
from windlass.spec.image import MANIFEST_LIMIT_BYTES

_ACCEPT = ", ".join(
    (media_types.OCI_INDEX, media_types.DOCKER_LIST, media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST)
    + tuple(sorted(media_types.SCHEMA1_MANIFESTS))
)
_ERROR_LIMIT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest or index as it came; `digest` is over `raw`."""

    raw: bytes
    media_type: str
    digest: Digest


class Repository:
    """Reads one repository."""

    def __init__(self, transport: Transport, endpoint: Endpoint, path: str, credentials: Credentials) -> None:
        self._transport = transport
        self.endpoint = endpoint
        self._path = path
        self._scope = f"repository:{path}:pull"
        self._credentials = credentials
        self._authorizer = Authorizer(transport, endpoint, self._scope, credentials)
        self._is_known = False

    async def connect(self) -> None:
        """Ask the registry for a sign of life, settling between HTTPS and HTTP, and meet its first challenge.

        Raises:
            RegistryUnreachable: it does not answer.
            Unauthorized: it refuses the credentials.
        """
        if self._is_known:
            return
        try:
            await self._ping()
        except RegistryUnreachable:
            if not self.endpoint.try_http:
                raise
            self.endpoint = replace(self.endpoint, url=self.endpoint.url.with_scheme("http"), try_http=False)
            self._authorizer = Authorizer(self._transport, self.endpoint, self._scope, self._credentials)
            await self._ping()
        self._is_known = True

    async def _ping(self) -> None:
        url = self._url("/v2/")
        async with self._transport.request(self.endpoint, url) as response:
            if response.status == 401 and response.url.origin() == url.origin():
                challenge = parse_challenges(response.headers.getall("WWW-Authenticate", []))
                if challenge is not None:
                    await self._authorizer.answer(url, challenge)

    async def manifest(self, reference: str, expected_size: int | None = None) -> RawManifest:
        """Fetch a manifest or index by tag or digest.

        Raises:
            RegistryRefused: the registry has none, or will not give it.
            ContentMismatch: its bytes are not those of the digest asked for, or announced.
            ManifestTooLarge: it passes the limit; no more than that is read.
            RegistryUnreachable, Unauthorized, CrossOriginRefused: no answer to use.
        """
        await self.connect()
        async with self._get(self._url(f"/v2/{self._path}/manifests/{reference}"), {"Accept": _ACCEPT}) as response:
            raw = await read_bounded(response, MANIFEST_LIMIT_BYTES)
            media_type = media_types.essence(response.headers.get("Content-Type", ""))
            announced = response.headers.get("Docker-Content-Digest", "")
        if len(raw) > MANIFEST_LIMIT_BYTES:
            raise ManifestTooLarge(f"manifest size exceeds the limit of {MANIFEST_LIMIT_BYTES} bytes")
        digest = digest_bytes(raw)
        wanted = reference if ":" in reference else announced
        if wanted.startswith("sha256:") and wanted != digest:
            raise ContentMismatch(f"manifest verification failed for digest {wanted}")
        if expected_size is not None and expected_size != len(raw):
            raise ContentMismatch(f"manifest {digest} has {len(raw)} bytes, its descriptor says {expected_size}")
        return RawManifest(raw, media_type, digest)

    @asynccontextmanager
    async def blob(self, digest: Digest, offset: int = 0) -> AsyncIterator[tuple[aiohttp.ClientResponse, int]]:
        """Open a blob from `offset` on; yields the answer and the offset at which it really starts.

        Raises:
            RegistryRefused: the registry has none, or will not give it.
            RegistryUnreachable, Unauthorized, CrossOriginRefused: no answer to use.
        """
        await self.connect()
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        async with self._get(self._url(f"/v2/{self._path}/blobs/{digest}"), headers) as response:
            yield response, offset if response.status == 206 else 0

    @asynccontextmanager
    async def _get(self, url: URL, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """GET with authorization, meeting one challenge of the registry's own origin."""
        for attempt in range(2):
            sent = dict(headers)
            if self._authorizer.header:
                sent["Authorization"] = self._authorizer.header
            async with self._transport.request(self.endpoint, url, headers=sent) as response:
                if response.status in (200, 206):
                    yield response
                    return
                body = await read_bounded(response, _ERROR_LIMIT_BYTES)
                refusal = parse_refusal(response.status, response.reason or "", body)
                challenge = None
                # A challenge from where a redirect led is not the registry's (CVE-2020-15157).
                if response.status == 401 and response.url.origin() == url.origin() and attempt == 0:
                    challenge = parse_challenges(response.headers.getall("WWW-Authenticate", []))
            if challenge is None:
                raise refusal
            await self._authorizer.answer(url, challenge)

    def _url(self, path: str) -> URL:
        # A mirror may live below a path of its host.
        return URL(f"{str(self.endpoint.url).rstrip('/')}{path}", encoded=True)
