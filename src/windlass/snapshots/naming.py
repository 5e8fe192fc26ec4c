"""Names of layers: eight characters, drawn at random; and what the host's refusals read like here."""

from __future__ import annotations

import errno
import os
import re
from typing import NewType

from windlass.base.errors import InvalidParameter, System

LayerName = NewType("LayerName", str)

# The directory in a layer's directory that holds its content.
DIFF = "d"
INCOMING_PREFIX = "incoming-"
TRASH_PREFIX = "trash-"

_NAME_BYTES = 5
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NAME = re.compile(r"\A[a-z2-7]{8}\Z")


def random_name() -> LayerName:
    """Return a new name: forty random bits."""
    value = int.from_bytes(os.urandom(_NAME_BYTES), "big")
    return LayerName("".join(_ALPHABET[value >> shift & 31] for shift in range(0, 8 * _NAME_BYTES, 5)))


def is_name(text: str) -> bool:
    """Tell whether `text` may name a layer."""
    return _NAME.match(text) is not None


def checked_name(text: str) -> LayerName:
    """Return `text` as a name.

    Raises:
        InvalidParameter: it is none: it never becomes a path.
    """
    if not is_name(text):
        raise InvalidParameter(f"invalid layer name {text[:64]!r}")
    return LayerName(text)


def refusal(action: str, path: str, error: OSError) -> System:
    """Return the engine's error for the kernel's refusal to do `action` to `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return System("no space left on device")
    return System(f"{action} {path}: {os.strerror(error.errno or 0)}")
