"""Credentials of a registry, as clients send them along with a request."""

from __future__ import annotations

import base64
import binascii

import msgspec

from windlass.base.errors import InvalidParameter

_HEADER_LIMIT = 64 << 10


class InvalidAuthHeader(InvalidParameter):
    """The `X-Registry-Auth` header does not decode. Its content is never shown."""

    def __init__(self) -> None:
        super().__init__("invalid X-Registry-Auth header")


class Credentials(msgspec.Struct, frozen=True, rename={"identity_token": "identitytoken"}):
    """A name and password, or an identity token that stands for both. Source: Engine API, AuthConfig."""

    username: str = ""
    password: str = ""
    identity_token: str = ""

    @property
    def basic(self) -> str:
        """The value of a Basic `Authorization` header, empty without a name."""
        if not self.username:
            return ""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return "Credentials(...)"


ANONYMOUS = Credentials()


def parse_auth_header(header: str) -> Credentials:
    """Return the credentials in an `X-Registry-Auth` header; anonymous when it is empty.

    Raises:
        InvalidAuthHeader: not base64url of JSON of the schema.

    Source: Engine API, "Authentication".
    """
    if not header:
        return ANONYMOUS
    if len(header) > _HEADER_LIMIT:
        raise InvalidAuthHeader()
    try:
        text = base64.b64decode(header + "=" * (-len(header) % 4), altchars=b"-_", validate=True)
        tree = msgspec.json.decode(text, type=dict[str, object] | None) or {}
        fields = {key: tree.get(key) or "" for key in ("username", "password", "identitytoken")}
        if not fields["username"] and isinstance(tree.get("auth"), str):
            pair = base64.b64decode(str(tree["auth"])).decode()
            fields["username"], _, fields["password"] = pair.partition(":")
        return msgspec.convert(fields, Credentials)
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        raise InvalidAuthHeader() from None
