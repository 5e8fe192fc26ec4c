"""Identifiers: 64 hexadecimal digits, shown as their first twelve."""

from __future__ import annotations

import os
import re

_NAME = re.compile(r"\A[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")

SHORT_ID_LENGTH = 12


def new_id() -> str:
    """Return 64 random hexadecimal digits whose short form is not all decimal.

    An all-decimal short form would be taken for a number where a short id serves as a host name.
    """
    while True:
        value = os.urandom(32).hex()
        if not value[:SHORT_ID_LENGTH].isdecimal():
            return value


def is_valid_name(text: str) -> bool:
    """Tell whether `text` may name a container or a volume: one clean path component, two characters or more."""
    return _NAME.match(text) is not None
