"""From method and path to a handler.

Routes are grouped by method and first segment, so that a lookup tries a handful of patterns. `{id}` is one segment,
`{name*}` any number of them (names of images have slashes).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from windlass.api.call import Call
from windlass.base.errors import NotFound

Handler = Callable[[Call], Awaitable[web.StreamResponse]]

_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: str
    path: str
    handler: Handler


class PageNotFound(NotFound):
    """No route has this method and path."""

    def __init__(self) -> None:
        super().__init__("page not found")


class Router:
    """The table, compiled."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._groups: dict[tuple[str, str], list[tuple[re.Pattern[str], Handler]]] = {}
        for route in routes:
            group = self._groups.setdefault((route.method, _first_segment(route.path)), [])
            group.append((_compile(route.path), route.handler))

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        """Return the handler of a request and the path's parameters.

        Raises:
            PageNotFound: there is none.
        """
        for pattern, handler in self._groups.get((method, _first_segment(path)), ()):
            match = pattern.match(path)
            if match is not None:
                return handler, match.groupdict()
        raise PageNotFound


def _first_segment(path: str) -> str:
    return path[1:].partition("/")[0]


def _compile(path: str) -> re.Pattern[str]:
    expression = _PARAMETER.sub(lambda m: f"(?P<{m[1]}>{'.+?' if m[2] else '[^/]+'})", path)
    return re.compile(rf"\A{expression}/?\Z")
