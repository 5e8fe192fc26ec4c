"""Reading what clients send, as Go's decoder would: bounded, nulls dropped, member names in any case.

Source: Engine API; the messages are dockerd's.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from aiohttp import web

from windlass.base.errors import InvalidParameter

_T = TypeVar("_T")

# dockerd reads at most this much JSON from a request.
MAX_JSON_BYTES = 8 << 20
_TRUE = frozenset({"1", "true", "True", "TRUE", "t", "T", "yes", "on"})
_FALSE = frozenset({"", "0", "no", "false", "none", "False", "FALSE", "f", "F"})


async def read_json(request: web.BaseRequest, kind: type[_T], *, required: bool = False) -> _T:
    """Decode the request's body; an empty one gives the zero value unless `required`.

    Raises:
        InvalidParameter: not JSON, too large, or a member of a wrong type.
    """
    data = await read_bounded(request, MAX_JSON_BYTES)
    if not data.strip():
        if required:
            raise InvalidParameter("invalid JSON: got EOF while reading request body")
        return kind()
    return decode(data, kind)


async def read_bounded(request: web.BaseRequest, limit: int) -> bytes:
    """Read a whole body of at most `limit` bytes."""
    if request.content_length is not None and request.content_length > limit:
        raise InvalidParameter(f"request body larger than {limit} bytes")
    chunks: list[bytes] = []
    total = 0
    async for chunk in request.content.iter_any():
        total += len(chunk)
        if total > limit:
            raise InvalidParameter(f"request body larger than {limit} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def decode(data: bytes, kind: type[_T]) -> _T:
    """Decode JSON into a struct.

    Raises:
        InvalidParameter: with the place where it went wrong.
    """
    try:
        raw = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidParameter(f"invalid JSON: {error}") from None
    except RecursionError:
        raise InvalidParameter("invalid JSON: nested too deeply") from None
    try:
        return msgspec.convert(_as_go_reads(raw, kind), kind)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"invalid JSON: {error}") from None


def _as_go_reads(raw: Any, kind: Any) -> Any:
    """Drop null members and restore the spelling of member names of `kind`'s own fields.

    Go matches names without regard to case, and its zero value stands where a member is null.
    """
    if isinstance(raw, dict):
        names = _names(kind)
        return {
            names.get(key.lower(), key): _as_go_reads(value, None) for key, value in raw.items() if value is not None
        }
    if isinstance(raw, list):
        return [_as_go_reads(item, None) for item in raw]
    return raw


def _names(kind: Any) -> dict[str, str]:
    fields = getattr(kind, "__struct_encode_fields__", ())
    return {name.lower(): name for name in fields}


def query_bool(request: web.BaseRequest, name: str, default: bool = False) -> bool:
    """Return a query parameter as dockerd reads booleans: anything that is not a spelling of false is true."""
    value = request.query.get(name)
    if value is None:
        return default
    return value.strip().lower() not in _FALSE


def query_int(request: web.BaseRequest, name: str, default: int) -> int:
    """Return a query parameter as a number.

    Raises:
        InvalidParameter: it is none.
    """
    value = request.query.get(name)
    if value is None or not value:
        return default
    if not value.removeprefix("-").isdecimal() or len(value) > 19:
        raise InvalidParameter(f'strconv.Atoi: parsing "{value[:50]}": invalid syntax')
    return int(value)
