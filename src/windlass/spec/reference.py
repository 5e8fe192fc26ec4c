"""Names of images as people type them, and as registries and the store know them.

    busybox                          docker.io/library/busybox
    busybox:1.36                     docker.io/library/busybox:1.36
    localhost:5000/a/b@sha256:...    localhost:5000/a/b@sha256:...
    └──── domain ───┘└path┘

The left column is the familiar form, the right one the canonical form. Error texts are those that Docker's clients
show and match.

Source: github.com/distribution/reference, reference.go (grammar) and normalize.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from windlass.base.errors import InvalidParameter
from windlass.spec.digest import Digest, InvalidDigest, parse_digest

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
PATH_LIMIT = 255

_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL_PREFIX = "library/"
# Nothing longer is worth a regular expression: 255 of path, 253 of host and port, 128 of tag, 135 of digest.
_TEXT_LIMIT = 1024

_LABEL = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_CANONICAL = re.compile(
    rf"\A(?P<domain>{_DOMAIN})/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?\Z"
)
_TAG_ONLY = re.compile(rf"\A{_TAG}\Z")
_IDENTIFIER = re.compile(r"\A[a-f0-9]{64}\Z")


class InvalidReference(InvalidParameter):
    """The text does not name an image."""

    def __init__(self, message: str = "invalid reference format", text: str = "") -> None:
        super().__init__(message)
        self.text = text


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A repository with a tag, a digest, both or neither; always with its domain and full path."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository: `docker.io/library/busybox`."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository as people write it: `busybox`."""
        # A path whose first component looks like a registry would mean that registry.
        if self.domain != DEFAULT_DOMAIN or _is_domain(self.path):
            return self.name
        remainder = self.path.removeprefix(_OFFICIAL_PREFIX)
        return self.path if "/" in remainder else remainder

    @property
    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag

    @property
    def familiar(self) -> str:
        """The whole reference as people write it: `busybox:latest`."""
        return self.familiar_name + self._suffix

    @property
    def is_name_only(self) -> bool:
        """Neither tag nor digest was given."""
        return not self.tag and not self.digest

    def with_default_tag(self) -> ImageRef:
        """Return the reference with tag `latest` when it has neither tag nor digest."""
        return replace(self, tag=DEFAULT_TAG) if self.is_name_only else self

    def with_tag(self, tag: str) -> ImageRef:
        """Return the same repository with `tag` and no digest.

        Raises:
            InvalidReference: not a tag.
        """
        if not _TAG_ONLY.match(tag):
            raise InvalidReference("invalid tag format", tag)
        return replace(self, tag=tag, digest="")

    def with_digest(self, digest: Digest) -> ImageRef:
        """Return the same repository with `digest` and no tag."""
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        """The canonical form: what the store keeps."""
        return self.name + self._suffix


def parse_reference(text: str) -> ImageRef:
    """Return the normalised reference that `text` names; no tag is added.

    Raises:
        InvalidReference: `text` is outside the grammar, with Docker's words for the reason.
        InvalidDigest: the part after `@` is not a digest of a registered algorithm.
    """
    if len(text) > _TEXT_LIMIT:
        raise InvalidReference(text=text)
    if _IDENTIFIER.match(text):
        raise InvalidReference(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings", text)
    domain, remainder = _split_domain(text)
    path = remainder.partition(":")[0]
    if path.lower() != path:
        raise InvalidReference(f"invalid reference format: repository name ({path}) must be lowercase", text)
    match = _CANONICAL.match(f"{domain}/{remainder}")
    if match is None:
        raise InvalidReference(text=text)
    if len(match["path"]) > PATH_LIMIT:
        raise InvalidReference(f"repository name must not be more than {PATH_LIMIT} characters", text)
    digest = match["digest"] or ""
    return ImageRef(match["domain"], match["path"], match["tag"] or "", parse_digest(digest) if digest else "")


def parse_image_name(text: str) -> ImageRef | Digest:
    """Return what a user means by `text`: a full id or digest, or else a reference.

    Raises:
        InvalidReference: neither.
    """
    if _IDENTIFIER.match(text):
        return Digest(f"sha256:{text}")
    try:
        return parse_digest(text)
    except InvalidDigest:
        return parse_reference(text)


def _is_domain(text: str) -> bool:
    """Tell a registry from the first component of a path: it has a dot, a colon, a capital, or is localhost."""
    first, slash, _ = text.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first or first.lower() != first)


def _split_domain(text: str) -> tuple[str, str]:
    domain, remainder = DEFAULT_DOMAIN, text
    if _is_domain(text):
        domain, _, remainder = text.partition("/")
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in remainder:
        remainder = _OFFICIAL_PREFIX + remainder
    return domain, remainder
