"""Proof that a registry asks for: basic, or a bearer token from its token service.

Source: distribution, "Token Authentication Specification" and "OAuth2 Token Authentication".
"""

from __future__ import annotations

import time

import aiohttp
import msgspec
from yarl import URL

from windlass.base.errors import Unauthorized
from windlass.distribution.challenge import Challenge
from windlass.distribution.credentials import ANONYMOUS, Credentials
from windlass.distribution.endpoints import Endpoint
from windlass.distribution.errors import CrossOriginRefused, RegistryRefused, parse_refusal
from windlass.distribution.origin import check_hop, realm_may_have_credentials
from windlass.distribution.transport import Transport

_ANSWER_LIMIT_BYTES = 1 << 20
_CLIENT_ID = "windlass"
# Without a word from the service a token is good for a minute; one that is about to end is not used any more.
_DEFAULT_LIFE_S = 60
_MARGIN_S = 10


class _Answer(msgspec.Struct):
    token: str = ""
    access_token: str = ""
    expires_in: int = _DEFAULT_LIFE_S


class Authorizer:
    """Makes the `Authorization` header for one repository at one endpoint."""

    def __init__(self, transport: Transport, endpoint: Endpoint, scope: str, credentials: Credentials) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._scope = scope
        self._credentials = ANONYMOUS if endpoint.mirror else credentials
        self._header = ""
        self._expires_at_s = 0.0

    @property
    def header(self) -> str:
        """The header's value, empty when none is known or the token is about to end."""
        return self._header if time.monotonic() < self._expires_at_s else ""

    async def answer(self, registry: URL, challenge: Challenge) -> None:
        """Meet a challenge that came from the registry's own origin; `header` has the result.

        Raises:
            Unauthorized: there are no credentials, or they were refused.
            RegistryRefused, RegistryUnreachable: the token service did not give a token.
            CrossOriginRefused: the realm is a place where nothing may be sent.
        """
        if challenge.scheme == "basic":
            if not self._credentials.basic:
                raise Unauthorized("no basic auth credentials")
            self._keep(self._credentials.basic, float("inf"))
            return
        realm = _realm(challenge)
        check_hop(registry, realm, insecure=self._endpoint.insecure)
        known = realm_may_have_credentials(registry, realm)
        answer = await self._fetch(realm, challenge, self._credentials if known else ANONYMOUS)
        token = answer.token or answer.access_token
        if not token or not token.isprintable():
            raise Unauthorized("authorization server did not include a token in the response")
        self._keep(f"Bearer {token}", max(answer.expires_in, _DEFAULT_LIFE_S) - _MARGIN_S)

    def _keep(self, header: str, life_s: float) -> None:
        self._header = header
        self._expires_at_s = time.monotonic() + life_s

    async def _fetch(self, realm: URL, challenge: Challenge, credentials: Credentials) -> _Answer:
        query = {"scope": self._scope} if self._scope else {}
        if challenge.service:
            query["service"] = challenge.service
        if credentials.identity_token:
            form = query | {
                "grant_type": "refresh_token",
                "refresh_token": credentials.identity_token,
                "client_id": _CLIENT_ID,
            }
            return await self._ask(realm, "POST", {}, form)
        headers = {"Authorization": credentials.basic} if credentials.basic else {}
        if credentials.username:
            query["account"] = credentials.username
        return await self._ask(realm.update_query(query), "GET", headers, None)

    async def _ask(self, url: URL, method: str, headers: dict[str, str], form: dict[str, str] | None) -> _Answer:
        async with self._transport.request(self._endpoint, url, method=method, headers=headers, data=form) as response:
            body = await _bounded(response)
            if response.status in (401, 403):
                raise Unauthorized("unauthorized: authentication required")
            if response.status != 200:
                raise parse_refusal(response.status, response.reason or "", body)
        try:
            return msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, RecursionError):
            raise RegistryRefused(502, "", "unable to decode token response") from None


def _realm(challenge: Challenge) -> URL:
    try:
        return URL(challenge.realm)
    except ValueError:
        raise CrossOriginRefused(challenge.realm, "not a web address") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    return await read_bounded(response, _ANSWER_LIMIT_BYTES)


async def read_bounded(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Return an answer's body, or its first `limit_bytes` + 1 bytes when it is longer."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > limit_bytes:
            break
    return b"".join(parts)[: limit_bytes + 1]
