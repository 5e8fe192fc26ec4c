"""One call of the API: the request with its version and parameters, as handlers see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from windlass.api.versions import Version
from windlass.base.errors import InvalidParameter
from windlass.engine.engine import Engine
from windlass.engine.filters import Filters, parse_filters

if TYPE_CHECKING:
    from windlass.api.connection import Connection

# Source: dockerd's httputils.BoolValue: everything else is true.
_FALSE = frozenset(("", "0", "no", "false", "none"))
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Call:
    """A request on its way through a handler. `params` are the parts of the path that a route names."""

    engine: Engine
    request: web.BaseRequest
    version: Version
    params: dict[str, str]

    @property
    def connection(self) -> Connection:
        """The client's connection."""
        connection: Any = self.request.protocol
        return connection  # type: ignore[no-any-return]

    @property
    def id(self) -> str:
        """The name or id in the path."""
        return self.params["id"]

    def text(self, name: str, default: str = "") -> str:
        """Return a query parameter."""
        return self.request.rel_url.query.get(name, default)

    def texts(self, name: str) -> list[str]:
        """Return every value of a repeated query parameter."""
        return self.request.rel_url.query.getall(name, [])

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean query parameter; one that is given without a value is false, as in dockerd."""
        value = self.request.rel_url.query.get(name)
        return default if value is None else value.strip().lower() not in _FALSE

    def number(self, name: str, default: int = 0) -> int:
        """Return a numeric query parameter.

        Raises:
            InvalidParameter: not a number.
        """
        value = self.text(name)
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise InvalidParameter(f'strconv.Atoi: parsing "{value}": invalid syntax') from None

    @property
    def filters(self) -> Filters:
        """The query parameter `filters`.

        Raises:
            InvalidFilter: malformed.
        """
        return parse_filters(self.text("filters"))


def reply(value: object, status: int = 200) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=_encode(value), status=status, content_type="application/json")


def no_content() -> web.Response:
    """Return a response without a body."""
    return web.Response(status=204)
