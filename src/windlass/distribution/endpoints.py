"""Which hosts serve a repository: its registry, and mirrors before it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from yarl import URL

from windlass.base.errors import InvalidParameter
from windlass.spec.reference import DEFAULT_DOMAIN

_OFFICIAL = URL("https://registry-1.docker.io")
_LOOPBACKS = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The daemon's `registry-mirrors` (URLs, for docker.io, in order) and `insecure-registries` (hosts, networks)."""

    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that serves repositories.

    `insecure` lets certificates be unknown and, for a registry's own host, plain HTTP be tried. `mirror` endpoints get
    no credentials: those given are for the registry that was named.
    """

    url: URL
    insecure: bool = False
    mirror: bool = False
    try_http: bool = False


def check_settings(settings: RegistrySettings) -> None:
    """Check what the configuration file says.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    for mirror in settings.mirrors:
        url = URL(mirror)
        if url.scheme not in ("http", "https") or not url.host:
            raise InvalidParameter(f'invalid mirror: unsupported scheme "{url.scheme}" in "{mirror}"')
        if url.query_string or url.fragment:
            raise InvalidParameter(f'invalid mirror: query or fragment at end of the URI "{mirror}"')
        if url.user is not None:
            raise InvalidParameter(f'invalid mirror: username/password not allowed in URI "{url.with_user(None)}"')
    for insecure in settings.insecure:
        if "://" in insecure:
            raise InvalidParameter(f"insecure registry {insecure} should not contain '://'")


def endpoints(domain: str, settings: RegistrySettings) -> list[Endpoint]:
    """Return the endpoints of a registry in the order in which to ask them."""
    if domain == DEFAULT_DOMAIN:
        return [*(_mirror(mirror, settings) for mirror in settings.mirrors), Endpoint(_OFFICIAL)]
    insecure = _is_insecure(domain, settings)
    return [Endpoint(URL(f"https://{domain}"), insecure=insecure, try_http=insecure)]


def _mirror(text: str, settings: RegistrySettings) -> Endpoint:
    url = URL(text.rstrip("/"))
    insecure = url.scheme == "http" or _is_insecure(url.authority, settings)
    return Endpoint(url, insecure=insecure, mirror=True)


def _is_insecure(domain: str, settings: RegistrySettings) -> bool:
    """Loopback is insecure by nature; the rest by configuration: a host, a host with port, or a network."""
    host = URL(f"https://{domain}").host or ""
    if host == "localhost" or domain in settings.insecure or host in settings.insecure:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in (*_LOOPBACKS, *_networks(settings)))


def _networks(settings: RegistrySettings) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in settings.insecure if "/" in text]
