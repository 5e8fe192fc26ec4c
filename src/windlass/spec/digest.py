"""Content digests: `algorithm:hex`, checked against the grammar before any use as a path.

Source: OCI image-spec v1.1, descriptor.md, "Digests".
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

from windlass.base.errors import InvalidParameter

Digest = NewType("Digest", str)
DiffId = NewType("DiffId", str)
ChainId = NewType("ChainId", str)

_GRAMMAR = {"sha256": re.compile(r"\A[0-9a-f]{64}\Z"), "sha512": re.compile(r"\A[0-9a-f]{128}\Z")}


class InvalidDigest(InvalidParameter):
    """The text is not a digest of a registered algorithm."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid checksum digest format: {text[:200]!r}")
        self.text = text


def parse_digest(text: str) -> Digest:
    """Return `text` as a Digest.

    Only registered algorithms pass: an unknown one must never reach a file name (CVE-2024-3727).

    Raises:
        InvalidDigest: the grammar or the algorithm is not ours.
    """
    algorithm, _, encoded = text.partition(":")
    grammar = _GRAMMAR.get(algorithm)
    if grammar is None or not grammar.match(encoded):
        raise InvalidDigest(text)
    return Digest(text)


def digest_bytes(data: bytes) -> Digest:
    """Return the sha256 digest of `data`."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def encoded(digest: str) -> str:
    """Return the hexadecimal part."""
    return digest.partition(":")[2]


def chain_ids(diff_ids: list[DiffId]) -> list[ChainId]:
    """Return the chain id of each layer, bottom first.

    Source: OCI image-spec v1.1, config.md, "Layer ChainID".
    """
    chain: list[ChainId] = []
    for diff_id in diff_ids:
        if not chain:
            chain.append(ChainId(diff_id))
        else:
            chain.append(ChainId(digest_bytes(f"{chain[-1]} {diff_id}".encode())))
    return chain
