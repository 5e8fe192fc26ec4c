"""Where a registry may send us, and what goes along.

A registry is asked by its user's wish; the places it points at (token realm, redirect) are its own wish. They get no
credentials unless they are the registry's own, are never plain HTTP when the registry is HTTPS, and never lie deeper
in our network than the registry itself does (a public registry must not make the daemon ask a loopback service, and
nobody may make it ask a cloud's metadata service).

Source: CVE-2020-15157 (containerd), CVE-2026-33540 (distribution), CVE-2026-48978 (oras-go).
"""

from __future__ import annotations

import ipaddress
from enum import IntEnum

from yarl import URL

from windlass.distribution.errors import CrossOriginRefused


class Reach(IntEnum):
    """How far inside a network an address lies."""

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2
    LINK_LOCAL = 3


def reach(address: str) -> Reach:
    """Return the reach of a numeric address; what is no unicast address at all counts as link-local.

    Raises:
        ValueError: not a numeric address.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback:
        return Reach.LOOPBACK
    if parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
        return Reach.LINK_LOCAL
    return Reach.PUBLIC if parsed.is_global else Reach.PRIVATE


def is_numeric(host: str) -> bool:
    """Tell whether `host` is an address and not a name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def check_hop(source: URL, target: URL, *, insecure: bool) -> None:
    """Refuse a redirect or realm that is not plain web, or gives up the registry's TLS.

    Raises:
        CrossOriginRefused: it does.
    """
    if target.scheme not in ("http", "https") or not target.host:
        raise CrossOriginRefused(str(target), "not a web address")
    if target.user is not None or target.password is not None:
        raise CrossOriginRefused(str(target.with_user(None)), "credentials in the address")
    if source.scheme == "https" and target.scheme == "http" and not insecure:
        raise CrossOriginRefused(str(target), "plain HTTP where HTTPS was meant")


def check_address(target: URL, address: str, limit: Reach) -> None:
    """Refuse an address that lies deeper in our network than `limit`, or is link-local.

    Raises:
        CrossOriginRefused: it does.
    """
    found = reach(address)
    if found is Reach.LINK_LOCAL or found > limit:
        raise CrossOriginRefused(str(target), f"{address} is a {found.name.lower().replace('_', '-')} address")


def realm_may_have_credentials(registry: URL, realm: URL) -> bool:
    """Tell whether a token service belongs to the registry: the same host, or a sibling below one parent domain.

    `registry-1.docker.io` has `auth.docker.io`; `registry.gitlab.com` has `gitlab.com`.
    """
    if realm.scheme != "https" and registry.scheme == "https":
        return False
    ours, theirs = (registry.host or "").lower(), (realm.host or "").lower()
    if ours == theirs:
        return True
    if is_numeric(ours) or is_numeric(theirs):
        return False
    parent = ours.partition(".")[2]
    # A parent of one label would be a whole top-level domain.
    return "." in parent and (theirs == parent or theirs.endswith(f".{parent}"))
