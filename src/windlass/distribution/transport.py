"""HTTP towards registries: connections, time limits, redirects, and errors in Docker's words.

Credentials never leave the origin that they were meant for, redirects are followed by our own hand, and the addresses
that a redirect leads to are looked at before anything is sent (`windlass.distribution.origin`).
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from windlass import __version__
from windlass.distribution.endpoints import Endpoint
from windlass.distribution.errors import CrossOriginRefused, RegistryUnreachable
from windlass.distribution.origin import Reach, check_address, check_hop, is_numeric, reach

_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_HOPS = 10
_READ_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds: until a connection stands, and between two pieces of an answer."""

    connect_s: float = 10.0
    idle_s: float = 60.0


class _GuardedResolver(AbstractResolver):
    """Resolves names for redirects, refusing addresses beyond a reach: checked here, they cannot change until used."""

    def __init__(self, limit: Reach) -> None:
        self._limit = limit
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            check_address(URL.build(scheme="http", host=host, port=port), result["host"], self._limit)
        return found

    async def close(self) -> None:
        await self._inner.close()


class Transport:
    """Connections to registries, kept while they are of use. One per daemon."""

    def __init__(self, timeouts: Timeouts | None = None) -> None:
        self._timeouts = timeouts or Timeouts()
        # By the reach that redirects may have; None is for hosts which the user named.
        self._sessions: dict[Reach | None, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    @asynccontextmanager
    async def request(
        self,
        endpoint: Endpoint,
        url: URL,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request on behalf of `endpoint` and yield the answer of the last redirect, whatever its status.

        `headers` may carry `Authorization`: it is left out as soon as the origin changes. `data` is a form, and may be
        secret as a whole: such a request is not redirected.

        Raises:
            RegistryUnreachable: no answer, or the answer broke off.
            CrossOriginRefused: a redirect led where it must not.
        """
        current, authorized = url, True
        for _ in range(_MAX_HOPS):
            session = await self._session(endpoint, current)
            sent = dict(headers or {})
            authorized = authorized and current.origin() == url.origin()
            if not authorized:
                sent.pop("Authorization", None)
            try:
                async with session.request(
                    method,
                    current,
                    headers=sent,
                    data=data,
                    allow_redirects=False,
                    ssl=not endpoint.insecure,
                    proxy=_proxy(current),
                ) as response:
                    location = response.headers.get("Location")
                    if response.status not in _REDIRECTS or not location:
                        yield response
                        return
                    target = _joined(current, location)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                # A query may hold a signature that is as good as a password.
                shown = str(current.with_query(None))
                raise RegistryUnreachable(shown, _reason(error, current), method.capitalize()) from error
            check_hop(current, target, insecure=endpoint.insecure)
            if data is not None:
                raise CrossOriginRefused(str(target.with_query(None)), "a form was to be sent on")
            current = target
        raise RegistryUnreachable(str(url), f"stopped after {_MAX_HOPS} redirects")

    async def _session(self, endpoint: Endpoint, url: URL) -> aiohttp.ClientSession:
        """Return the session for `url`: free for the endpoint's own host, guarded for any other."""
        limit = None
        if url.origin() != endpoint.url.origin():
            limit = await self._reach_of(endpoint.url)
            if is_numeric(url.host or ""):
                check_address(url, url.host or "", limit)
        if limit not in self._sessions:
            self._sessions[limit] = self._new_session(limit)
        return self._sessions[limit]

    def _new_session(self, limit: Reach | None) -> aiohttp.ClientSession:
        resolver = aiohttp.ThreadedResolver() if limit is None else _GuardedResolver(limit)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._timeouts.connect_s, sock_read=self._timeouts.idle_s
            ),
            headers={"User-Agent": f"windlass/{__version__}", "Accept-Encoding": "identity"},
            # A digest is over the bytes as they are stored: nothing may unpack them on the way.
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=_READ_BUFFER_BYTES,
        )

    async def _reach_of(self, url: URL) -> Reach:
        """Return how far inside our network the registry itself lies."""
        host = url.host or ""
        if is_numeric(host):
            return min(reach(host), Reach.LOOPBACK)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, url.port, type=socket.SOCK_STREAM)
        except OSError:
            return Reach.PUBLIC
        return min(max(reach(str(address[0])) for *_, address in found), Reach.LOOPBACK)


def _joined(current: URL, location: str) -> URL:
    try:
        return current.join(URL(location))
    except ValueError:
        raise CrossOriginRefused(location, "not a web address") from None


def _proxy(url: URL) -> URL | None:
    """Return the proxy that the environment names for `url`; credential files are never looked at."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or not url.host or url.host == "localhost" or proxy_bypass(url.authority):
        return None
    if is_numeric(url.host) and reach(url.host) is Reach.LOOPBACK:
        return None
    return URL(proxy)


def _reason(error: BaseException, url: URL) -> str:
    """Return what went wrong as Go's network stack says it."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {url.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        verdict = getattr(error.certificate_error, "verify_message", "") or "certificate signed by unknown authority"
        return f"tls: failed to verify certificate: x509: {verdict}"
    if isinstance(error, aiohttp.ClientSSLError):
        if _is_plain_http(error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error):
            return "http: server gave HTTP response to HTTPS client"
        return f"tls: {error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        # asyncio writes its own words over the kernel's.
        reason = os.strerror(error.os_error.errno).lower() if error.os_error.errno else str(error)
        return f"dial tcp {_address(error, url)}: connect: {reason}"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"dial tcp {url.host}:{url.port}: i/o timeout"
    if isinstance(error, TimeoutError):
        return "net/http: timeout awaiting response headers"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "unexpected EOF"
    return str(error) or type(error).__name__


def _address(error: aiohttp.ClientConnectorError, url: URL) -> str:
    """Return the address that was dialled: the error's own word has it where a name has several."""
    text = str(error.os_error)
    start, end = text.find("('"), text.find(")")
    if start >= 0 and end > start:
        host, _, port = text[start + 1 : end].partition(", ")
        return f"{host.strip(chr(39))}:{port.partition(',')[0]}"
    return f"{url.host}:{url.port}"


def _is_plain_http(error: BaseException) -> bool:
    reason = getattr(error, "reason", "") or str(error)
    plain = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE")
    return isinstance(error, ssl.SSLError) and any(word in reason.upper() for word in plain)
