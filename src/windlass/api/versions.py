"""API versions: what a request may ask for, and how that is refused.

Source: Engine API, "Versioning".
"""

from __future__ import annotations

import re

from windlass.base.errors import InvalidParameter

API_VERSION = (1, 50)
MIN_API_VERSION = (1, 24)

Version = tuple[int, int]

_PREFIX = re.compile(r"/v([0-9]{1,3})\.([0-9]{1,4})(?=/|\Z)")


def text(version: Version) -> str:
    """Return `1.50` for (1, 50)."""
    return f"{version[0]}.{version[1]}"


def split(path: str) -> tuple[Version, str]:
    """Split `/v1.47/info` into the version and `/info`; without a prefix the newest version is meant.

    Raises:
        InvalidParameter: the version is not served, in dockerd's words.
    """
    match = _PREFIX.match(path)
    if match is None:
        return API_VERSION, path
    version = (int(match[1]), int(match[2]))
    if version > API_VERSION:
        raise InvalidParameter(
            f"client version {text(version)} is too new. Maximum supported API version is {text(API_VERSION)}"
        )
    if version < MIN_API_VERSION:
        raise InvalidParameter(
            f"client version {text(version)} is too old. Minimum supported API version is {text(MIN_API_VERSION)}, "
            "please upgrade your client to a newer version"
        )
    return version, path[match.end() :] or "/"
