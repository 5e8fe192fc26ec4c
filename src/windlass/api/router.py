"""From method and path to a handler.

Image names contain slashes, so a pattern's `{name:.*}` matches several segments and the longest literal tail wins by
order of registration. Patterns are grouped by method and first segment: a look-up tries a handful.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from windlass.api.versions import Version

_PARAMETER = re.compile(r"\{(\w+)(?::([^{}]+))?\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as handlers see it: the HTTP request, its API version and the parameters of its path."""

    http: web.BaseRequest
    version: Version
    path: dict[str, str]


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class Router:
    """A table of routes."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], list[tuple[re.Pattern[str], Handler]]] = {}
        self._patterns: list[tuple[str, str]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Serve `method` on paths like `pattern`; earlier routes win."""
        self._patterns.append((method, pattern))
        key = (method, _first_segment(pattern))
        self._routes.setdefault(key, []).append((_compile(pattern), handler))

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """Every method and pattern served, for the compatibility list."""
        return list(self._patterns)

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]] | None:
        """Return the handler of a raw (percent-encoded) path without its version, and the path's parameters."""
        for pattern, handler in self._routes.get((method, _first_segment(path)), ()):
            match = pattern.match(path)
            if match is not None:
                return handler, {key: unquote(value) for key, value in match.groupdict().items()}
        return None


def _first_segment(path: str) -> str:
    return path[1:].partition("/")[0]


def _compile(pattern: str) -> re.Pattern[str]:
    text, at = "", 0
    for match in _PARAMETER.finditer(pattern):
        text += re.escape(pattern[at : match.start()]) + f"(?P<{match[1]}>{match[2] or '[^/]+'})"
        at = match.end()
    return re.compile(text + re.escape(pattern[at:]) + r"/?\Z")
