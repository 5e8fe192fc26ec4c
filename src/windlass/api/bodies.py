"""Request bodies: bounded, typed JSON.

Source: texts of dockerd's decoder, where clients match on them.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from windlass.api.conform import conform
from windlass.base.errors import InvalidParameter

# A container's configuration carries a seccomp profile at most; the rest is small.
BODY_LIMIT_BYTES = 8 << 20
BODY_TIMEOUT_S = 60.0

_T = TypeVar("_T")


async def read_json(request: web.BaseRequest, kind: type[_T]) -> _T:
    """Return a request's body as `kind`.

    Raises:
        InvalidParameter: not JSON, not of that shape, or too large.
    """
    return convert(conform(await read_tree(request), kind), kind)


async def read_tree(request: web.BaseRequest) -> Any:
    """Return a request's body as plain JSON values.

    Raises:
        InvalidParameter: no JSON, or not announced as such.
    """
    check_content_type(request)
    raw = await read_body(request)
    if not raw.strip():
        raise InvalidParameter("invalid JSON: got EOF while reading request body")
    return _decode(raw)


async def read_optional_tree(request: web.BaseRequest) -> Any:
    """Return a request's body as plain JSON values; None when there is none.

    Raises:
        InvalidParameter: no JSON, or not announced as such.
    """
    raw = await read_body(request)
    if raw.strip() in (b"", b"null"):
        return None
    check_content_type(request)
    return _decode(raw)


def check_content_type(request: web.BaseRequest) -> None:
    """Refuse a body that is not announced as JSON.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    announced = request.headers.get("Content-Type", "")
    if not announced and not request.body_exists:
        return
    if announced.partition(";")[0].strip().lower() != "application/json":
        raise InvalidParameter(f"unsupported Content-Type header ({announced}): must be 'application/json'")


async def read_body(request: web.BaseRequest) -> bytes:
    """Return the whole body.

    Raises:
        InvalidParameter: it is larger than any that makes sense, or takes longer.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.content.iter_any():
                size += len(part)
                if size > BODY_LIMIT_BYTES:
                    raise InvalidParameter("request body too large")
                parts.append(part)
    except TimeoutError:
        raise InvalidParameter("request body too slow") from None
    return b"".join(parts)


def _decode(raw: bytes) -> Any:
    try:
        tree = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        text = "unexpected EOF" if "truncated" in str(error) else str(error)
        raise InvalidParameter(f"invalid JSON: {text}") from None
    if not isinstance(tree, dict):
        raise InvalidParameter("invalid JSON: expected an object")
    return tree


def convert(tree: Any, kind: type[_T]) -> _T:
    """Return conformed JSON values as `kind`.

    Raises:
        InvalidParameter: they have another shape.
    """
    try:
        return msgspec.convert(tree, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InvalidParameter(f"invalid JSON: {error}") from None
