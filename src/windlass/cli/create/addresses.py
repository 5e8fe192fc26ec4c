"""Addresses in flags: IP, MAC, host names; checked without the `ipaddress` module."""

from __future__ import annotations

import _socket

HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
MAC_BYTE_COUNTS = (6, 8, 20)


def is_ipv4(text: str) -> bool:
    """Tell whether `text` is a dotted quad."""
    return _parses(_socket.AF_INET, text)


def is_ipv6(text: str) -> bool:
    """Tell whether `text` is an IPv6 address."""
    return _parses(_socket.AF_INET6, text)


def is_ip(text: str) -> bool:
    """Tell whether `text` is an IP address."""
    return is_ipv4(text) or is_ipv6(text)


def _parses(family: int, text: str) -> bool:
    try:
        _socket.inet_pton(family, text)
    except (OSError, ValueError):
        return False
    return True


def checked_mac(text: str) -> str:
    """Return `text` if it is a MAC address; raises ValueError."""
    for separator, group in ((":", 2), ("-", 2), (".", 4)):
        parts = text.strip().split(separator)
        well_formed = all(len(part) == group and HEX_DIGITS.issuperset(part) for part in parts)
        if len(parts) > 1 and well_formed and len(parts) * group // 2 in MAC_BYTE_COUNTS:
            return text
    raise ValueError(f"{text} is not a valid mac address")


def checked_ip(text: str) -> str:
    """Return the address for `--dns`; raises ValueError."""
    if not is_ip(text.strip()):
        raise ValueError(f"IP address is not correctly formatted: {text}")
    return text.strip()


def checked_domain(text: str) -> str:
    """Return the search domain for `--dns-search`; raises ValueError."""
    domain = text.strip(" ")
    if domain == ".":
        return domain
    labels = domain.removesuffix(".").split(".")
    if len(domain) > 255 or not any(c.isalpha() for c in domain) or not all(map(_is_label, labels)):
        raise ValueError(f"{text} is not a valid domain")
    return domain


def _is_label(label: str) -> bool:
    return (
        bool(label)
        and len(label) <= 63
        and label.isascii()
        and label.replace("-", "a").isalnum()
        and label[0] != "-"
        and label[-1] != "-"
    )


def extra_host(text: str) -> str:
    """Return `host:ip` for `--add-host`, given `host=ip` or `host:ip`; raises ValueError."""
    host, separator, address = text.partition("=") if "=" in text else text.partition(":")
    if not separator or not host:
        raise ValueError(f'bad format for add-host: "{text}"')
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if address != "host-gateway" and not is_ip(address):
        raise ValueError(f'invalid IP address in add-host: "{address}"')
    return f"{host}:{address}"
