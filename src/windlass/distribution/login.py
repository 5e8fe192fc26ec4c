"""Whether a registry takes credentials, which is all that logging in is.

Source: OCI distribution-spec v1.1, "Determining Support"; the texts are dockerd's.
"""

from __future__ import annotations

from dataclasses import replace

from windlass.base.errors import Unauthorized
from windlass.distribution.challenge import parse_challenges
from windlass.distribution.credentials import Credentials
from windlass.distribution.endpoints import Endpoint, RegistrySettings, endpoints
from windlass.distribution.errors import RegistryUnreachable
from windlass.distribution.tokens import Authorizer
from windlass.distribution.transport import Transport
from windlass.spec.reference import DEFAULT_DOMAIN

_OFFICIAL_HOSTS = frozenset({"", "docker.io", "index.docker.io", "registry-1.docker.io"})


def domain_of(address: str) -> str:
    """Return the registry's domain of a server address: a host, or what old clients send, `https://host/v1/`."""
    host = address.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return DEFAULT_DOMAIN if host in _OFFICIAL_HOSTS else host


async def log_in(transport: Transport, address: str, settings: RegistrySettings, credentials: Credentials) -> None:
    """Have a registry look at credentials.

    Raises:
        Unauthorized: it does not take them.
        RegistryUnreachable, RegistryRefused, CrossOriginRefused: it could not be asked.
    """
    # Mirrors get no credentials: the registry itself comes last.
    endpoint = endpoints(domain_of(address), settings)[-1]
    try:
        await _try(transport, endpoint, credentials)
    except RegistryUnreachable:
        if not endpoint.try_http:
            raise
        await _try(transport, replace(endpoint, url=endpoint.url.with_scheme("http"), try_http=False), credentials)


async def _try(transport: Transport, endpoint: Endpoint, credentials: Credentials) -> None:
    url = endpoint.url / "v2/"
    async with transport.request(endpoint, url) as response:
        status, reason = response.status, response.reason
        own = response.url.origin() == url.origin()
        challenge = parse_challenges(response.headers.getall("WWW-Authenticate", [])) if own else None
    if status == 401 and challenge is not None:
        authorizer = Authorizer(transport, endpoint, "", credentials)
        await authorizer.answer(url, challenge)
        async with transport.request(endpoint, url, headers={"Authorization": authorizer.header}) as response:
            status, reason = response.status, response.reason
    if status != 200:
        raise Unauthorized(f"login attempt to {url} failed with status: {status} {(reason or '')[:100]}")
