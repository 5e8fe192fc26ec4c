"""A container's /etc/hosts and /etc/hostname, line for line as dockerd writes them.

Source: hosts(5), hostname(5); dockerd's `--add-host`, `--hostname`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address

from windlass.base.errors import InvalidParameter

HOST_GATEWAY = "host-gateway"

_LOCALHOST4 = "127.0.0.1\tlocalhost\n"
_LOCALHOST6 = (
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n"
)


def hosts_file(
    hostname: str,
    addresses: Sequence[str] = (),
    *,
    domainname: str = "",
    extra_hosts: Iterable[str] = (),
    host_gateway: str = "",
) -> str:
    """Write /etc/hosts.

    `addresses` are the container's own. `extra_hosts` are `name:address`, with `host-gateway` as an address standing
    for `host_gateway`.

    Raises:
        InvalidParameter: an extra host is malformed, or needs a host gateway and there is none.
    """
    lines = [_LOCALHOST4, _LOCALHOST6]
    for entry in extra_hosts:
        name, address = parse_extra_host(entry, host_gateway)
        lines.append(f"{address}\t{name}\n")
    lines += (f"{address}\t{_names(hostname, domainname)}\n" for address in addresses)
    return "".join(lines)


def _names(hostname: str, domainname: str) -> str:
    """Return the full name and the bare one; a user may give the former in either of two ways."""
    full = f"{hostname}.{domainname}" if domainname else hostname
    bare, dot, _domain = full.partition(".")
    return f"{full} {bare}" if dot else full


def parse_extra_host(entry: str, host_gateway: str) -> tuple[str, str]:
    """Parse one `--add-host`, `name:address` or `name=address`, to name and address.

    Raises:
        InvalidParameter: malformed, or `host-gateway` is asked for and unknown.
    """
    separator = "=" if "=" in entry else ":"
    name, found, address = entry.partition(separator)
    if not found or not name or any(c.isspace() for c in entry):
        raise InvalidParameter(f"bad format for add-host: {_quoted(entry)}")
    if address == HOST_GATEWAY:
        if not host_gateway:
            raise InvalidParameter("unable to derive the IP value for host-gateway")
        return name, host_gateway
    try:
        return name, str(ip_address(address.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise InvalidParameter(f"invalid IP address in add-host: {_quoted(address)}") from None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def hostname_file(hostname: str) -> str:
    """Write /etc/hostname."""
    return f"{hostname}\n"
