"""The `WWW-Authenticate` header: which kind of proof a registry asks for.

Source: RFC 9110, section 11.6.1; distribution, "Token Authentication Specification".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PARAMETER = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*,?')
_HEADER_LIMIT = 8 << 10


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge. `scheme` is lower case: "basic" or "bearer"."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def parse_challenges(headers: Iterable[str]) -> Challenge | None:
    """Return the first challenge that can be met, or None."""
    for header in headers:
        scheme, _, rest = header[:_HEADER_LIMIT].strip().partition(" ")
        if scheme.lower() in ("basic", "bearer"):
            return _parse(scheme.lower(), rest)
    return None


def _parse(scheme: str, text: str) -> Challenge:
    found: dict[str, str] = {}
    position = 0
    while match := _PARAMETER.match(text, position):
        name, quoted, token = match.groups()
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
        found.setdefault(name.lower(), value)
        position = match.end()
    return Challenge(scheme, found.get("realm", ""), found.get("service", ""), found.get("scope", ""))
