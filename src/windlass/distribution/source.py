"""A repository wherever it can be had: mirrors in order, then the registry, for each manifest and each blob anew.

A blob that broke off goes on from where it was, at the same endpoint or the next: bytes are checked against their
digest at the end, so that it does not matter who sent which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from windlass.base.errors import Unauthorized, WindlassError
from windlass.base.threads import acquire_blocking, run_blocking
from windlass.content.blobs import BlobStore
from windlass.content.errors import DigestMismatch, IngestBusy, SizeMismatch
from windlass.content.ingest import Durability, Ingest
from windlass.distribution.credentials import ANONYMOUS, Credentials
from windlass.distribution.endpoints import RegistrySettings, endpoints
from windlass.distribution.errors import ContentMismatch, CrossOriginRefused, RegistryRefused, RegistryUnreachable
from windlass.distribution.repository import RawManifest, Repository
from windlass.distribution.transport import Transport
from windlass.spec.digest import Digest
from windlass.spec.image import Descriptor
from windlass.spec.reference import ImageRef

# Hashing and writing happen in a thread: one call for this many bytes.
_BATCH_BYTES = 1 << 20

BlobProgress = Callable[[int], None]
"""Told how many bytes of the blob are here."""


@dataclass(frozen=True, slots=True)
class Retry:
    """How often one thing is asked for, and the pause in seconds before the second try; it doubles from then on."""

    attempts: int = 5
    first_pause_s: float = 1.0

    def pause_s(self, attempt: int) -> float:
        """Return the pause after try number `attempt`, counted from 0."""
        return min(self.first_pause_s * 2.0**attempt, 30.0)


class Source:
    """Where one repository is read from."""

    def __init__(self, repositories: Sequence[Repository], retry: Retry) -> None:
        self._repositories = list(repositories)
        self._retry = retry

    async def manifest(self, reference: str, expected_size: int | None = None) -> RawManifest:
        """Fetch a manifest or index by tag or digest from the first endpoint that has it.

        Raises:
            WindlassError: the last endpoint's answer; see `Repository.manifest`.
        """
        failure: WindlassError | None = None
        for repository in tuple(self._repositories):
            try:
                found = await self._persist(repository, reference, expected_size)
            except WindlassError as error:
                failure = error
                continue
            # What has the manifest likely has the blobs: it is asked first from now on.
            self._repositories.remove(repository)
            self._repositories.insert(0, repository)
            return found
        assert failure is not None
        raise failure

    async def _persist(self, repository: Repository, reference: str, expected_size: int | None) -> RawManifest:
        """Ask one endpoint, again where a hiccup is likely."""
        for attempt in range(self._retry.attempts):
            try:
                return await repository.manifest(reference, expected_size)
            except RegistryRefused as error:
                if not error.is_transient or attempt + 1 == self._retry.attempts:
                    raise
            await asyncio.sleep(self._retry.pause_s(attempt))
        raise AssertionError("unreachable")

    async def fetch(self, descriptor: Descriptor, blobs: BlobStore, progress: BlobProgress | None = None) -> None:
        """Have a blob in the store when this returns; bytes that an earlier try left are used.

        Raises:
            ContentMismatch: every endpoint sent bytes that are not those of the digest; nothing is stored.
            WindlassError: the last endpoint's answer.
        """
        digest = Digest(descriptor.digest)
        failure: WindlassError | None = None
        for attempt in range(self._retry.attempts):
            for repository in self._repositories:
                try:
                    await _download(repository, descriptor, blobs, progress or _ignore)
                    return
                except (DigestMismatch, SizeMismatch):
                    failure = ContentMismatch(f"filesystem layer verification failed for digest {digest}")
                except (RegistryUnreachable, RegistryRefused, Unauthorized, CrossOriginRefused, IngestBusy) as error:
                    failure = error
            if attempt + 1 == self._retry.attempts or not _is_transient(failure):
                break
            await asyncio.sleep(self._retry.pause_s(attempt))
        assert failure is not None
        raise failure


def open_source(
    transport: Transport,
    ref: ImageRef,
    settings: RegistrySettings,
    credentials: Credentials = ANONYMOUS,
    retry: Retry | None = None,
) -> Source:
    """Return the source of the repository that `ref` names. Nothing is asked yet."""
    repositories = [
        Repository(transport, endpoint, ref.path, credentials) for endpoint in endpoints(ref.domain, settings)
    ]
    return Source(repositories, retry or Retry())


def _is_transient(failure: WindlassError | None) -> bool:
    if isinstance(failure, RegistryRefused):
        return failure.is_transient
    return not isinstance(failure, (Unauthorized, CrossOriginRefused))


def _ignore(_count: int) -> None:
    """Progress for nobody."""


async def _download(repository: Repository, descriptor: Descriptor, blobs: BlobStore, progress: BlobProgress) -> None:
    digest = Digest(descriptor.digest)
    ingest = await acquire_blocking(Ingest.close, blobs.ingest, digest, digest, descriptor.size)
    try:
        if ingest.offset < descriptor.size or not descriptor.size:
            async with repository.blob(digest, ingest.offset) as (response, start):
                await _receive(response, start, ingest, progress)
        progress(ingest.offset)
        await run_blocking(ingest.commit, Durability.DEFERRED)
    finally:
        ingest.close()


async def _receive(response: aiohttp.ClientResponse, start: int, ingest: Ingest, progress: BlobProgress) -> None:
    """Write the answer's body; one that starts over makes the ingest start over.

    What came before the connection broke, or the caller lost interest, is kept for the next try.
    """
    if start != ingest.offset:
        await run_blocking(ingest.restart)
    pending = bytearray()
    try:
        async for piece in response.content.iter_any():
            pending += piece
            if len(pending) >= _BATCH_BYTES:
                batch, pending = pending, bytearray()
                await run_blocking(ingest.write, batch)
                progress(ingest.offset)
    except (aiohttp.ClientError, TimeoutError, OSError, asyncio.CancelledError):
        await run_blocking(ingest.write, pending)
        raise
    await run_blocking(ingest.write, pending)
