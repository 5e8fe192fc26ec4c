"""Versions of the API: which are spoken, and what a path's prefix says.

Source: Engine API, "Versioning"; texts are dockerd's.
"""

from __future__ import annotations

import re

from windlass.base.errors import InvalidParameter
from windlass.engine.system import API_VERSION, MINIMUM_API_VERSION

Version = tuple[int, int]


def _parse(text: str) -> Version:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


MAXIMUM: Version = _parse(API_VERSION)
MINIMUM: Version = _parse(MINIMUM_API_VERSION)

_PREFIX = re.compile(r"\A/v([0-9]{1,4})\.([0-9]{1,4})(/.*)\Z", re.DOTALL)


def text_of(version: Version) -> str:
    """Return `1.50`."""
    return f"{version[0]}.{version[1]}"


def split_version(path: str) -> tuple[Version, str]:
    """Return the version that a path asks for (the newest when it does not say) and the path without it.

    Raises:
        InvalidParameter: the version is too new or too old.
    """
    match = _PREFIX.match(path)
    if match is None:
        return MAXIMUM, path
    version = (int(match[1]), int(match[2]))
    if version < MINIMUM:
        raise InvalidParameter(
            f"client version {text_of(version)} is too old. Minimum supported API version is {text_of(MINIMUM)}, "
            "please upgrade your client to a newer version"
        )
    if version > MAXIMUM:
        raise InvalidParameter(
            f"client version {text_of(version)} is too new. Maximum supported API version is {text_of(MAXIMUM)}"
        )
    return version, match[3]
