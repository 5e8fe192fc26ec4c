"""What registries and the way to them answer, in the words that Docker's users know."""

from __future__ import annotations

import msgspec

from windlass.base.errors import DataLoss, Forbidden, InvalidParameter, NotFound, System, Unauthorized, WindlassError
from windlass.spec.reference import ImageRef

_MESSAGE_LIMIT = 2_000


class RegistryUnreachable(System):
    """No answer came: name, route, TLS or time."""

    def __init__(self, url: str, reason: str, method: str = "Get") -> None:
        super().__init__(f'{method} "{url}": {reason}')
        self.url = url
        self.reason = reason


class RegistryRefused(System):
    """The registry answered with an error.

    `status` is the HTTP status; `code` is the registry's own word (`MANIFEST_UNKNOWN`), empty when it gave none.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def is_transient(self) -> bool:
        """Another try may succeed."""
        return self.status >= 500 or self.status == 408


class CrossOriginRefused(Forbidden):
    """A registry pointed at a place where nothing of ours may be sent or asked."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"refused to follow the registry to {url[:300]!r}: {reason}")
        self.url = url


class ContentMismatch(DataLoss):
    """What a registry sent is not what its digest or size names."""


class ManifestTooLarge(InvalidParameter):
    """A registry sent more than a manifest may have."""


class _Error(msgspec.Struct):
    code: str = ""
    message: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] | None = None


def parse_refusal(status: int, reason: str, body: bytes) -> RegistryRefused:
    """Return the error that a registry's answer describes.

    Source: OCI distribution-spec v1.1, "Error Codes".
    """
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors or []
    except (msgspec.DecodeError, RecursionError):
        errors = []
    if not errors:
        return RegistryRefused(status, "", f"received unexpected HTTP status: {status} {reason[:100]}".rstrip())
    first = errors[0]
    words = first.code.replace("_", " ").lower()
    message = f"{words}: {first.message or words}"
    return RegistryRefused(status, first.code, message[:_MESSAGE_LIMIT])


def explain_pull(error: WindlassError, ref: ImageRef) -> WindlassError:
    """Return the error to show to somebody who asked for `ref`."""
    if not isinstance(error, RegistryRefused):
        return error
    code, text = error.code, error.message
    if code == "DENIED" or (code in ("UNAUTHORIZED", "") and error.status == 403):
        name = ref.familiar_name
        return NotFound(
            f"pull access denied for {name}, repository does not exist or may require 'docker login': {text}"
        )
    if code == "UNAUTHORIZED" or error.status == 401:
        return Unauthorized(text)
    if code == "NAME_UNKNOWN":
        return NotFound(f"repository {ref.familiar_name} not found: {text}")
    if code == "MANIFEST_UNKNOWN":
        return NotFound(f"manifest for {ref.familiar} not found: {text}")
    if error.status == 404:
        return NotFound(f"manifest for {ref.familiar} not found: manifest unknown: {text}")
    return error
