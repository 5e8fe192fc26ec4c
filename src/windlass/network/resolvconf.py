"""A container's /etc/resolv.conf, made from the host's.

Source: resolv.conf(5); dockerd's `--dns`, `--dns-search`, `--dns-option`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

HOST_PATH = "/etc/resolv.conf"
# systemd-resolved's list of the servers behind its stub listener at 127.0.0.53.
RESOLVED_PATH = "/run/systemd/resolve/resolv.conf"
_STUB_LISTENERS = frozenset({"127.0.0.53", "127.0.0.54"})
DEFAULT_NAMESERVERS = ("8.8.8.8", "8.8.4.4")
_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """The directives of a resolv.conf; `other` are lines that are passed on as they are."""

    nameservers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def render(self) -> str:
        """Write the file."""
        lines = [f"nameserver {address}" for address in self.nameservers]
        if self.search:
            lines.append("search " + " ".join(self.search))
        if self.options:
            lines.append("options " + " ".join(self.options))
        return "".join(f"{line}\n" for line in (*lines, *self.other))


def parse(text: str) -> ResolvConf:
    """Parse a resolv.conf. Of several `search` or `domain` lines the last counts; options add up."""
    nameservers: list[str] = []
    search: tuple[str, ...] = ()
    options: list[str] = []
    other: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#;":
            continue
        directive, values = words[0], words[1:]
        if directive == "nameserver":
            nameservers += [value for value in values[:1] if _is_address(value)]
        elif directive in ("search", "domain"):
            search = tuple(values) or search
        elif directive == "options":
            options += values
        else:
            other.append(line)
    return ResolvConf(tuple(nameservers), search, tuple(options), tuple(other))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def read_host(path: str = HOST_PATH, resolved_path: str = RESOLVED_PATH) -> ResolvConf:
    """Read the host's resolv.conf; where it points to systemd-resolved's stub only, the servers behind the stub.

    A missing file is an empty one.
    """
    host = parse(_read(path))
    if host.nameservers and _STUB_LISTENERS.issuperset(host.nameservers):
        behind = parse(_read(resolved_path))
        return behind if behind.nameservers else host
    return host


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8", "replace")
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        return ""


def for_container(
    host: ResolvConf,
    *,
    dns: Sequence[str] = (),
    dns_search: Sequence[str] = (),
    dns_options: Sequence[str] = (),
    ipv6: bool = False,
) -> ResolvConf:
    """Return what a container with a network namespace of its own gets.

    The host's loopback and (without `ipv6`) IPv6 nameservers mean nothing in there and are left out; if none is
    left, public ones are used. What the user asked for replaces the host's, unfiltered; a search domain of `.` means
    none.
    """
    if dns:
        nameservers = tuple(dns)
    else:
        nameservers = tuple(a for a in host.nameservers if _is_reachable(a, ipv6)) or DEFAULT_NAMESERVERS
    search = tuple(domain for domain in dns_search if domain != ".") if dns_search else host.search
    return replace(host, nameservers=nameservers, search=search, options=tuple(dns_options) or host.options)


def _is_reachable(nameserver: str, ipv6: bool) -> bool:
    address = ip_address(nameserver)
    return not address.is_loopback and (address.version == 4 or ipv6)
