"""Networks: the mode, and the endpoints on user-defined networks.

Source: https://docs.docker.com/reference/cli/docker/container/run/#network
"""

from __future__ import annotations

from windlass.cli.create.addresses import checked_mac
from windlass.cli.gotext import parse_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.flags import Values

_BUILT_IN = ("default", "bridge", "host", "none")


class Attachment:
    """One `--network` value: the network's name and what was said about the endpoint on it."""

    __slots__ = ("aliases", "driver_opts", "gw_priority", "ip", "ip6", "link_local", "links", "mac", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.aliases: list[str] = []
        self.links: list[str] = []
        self.link_local: list[str] = []
        self.driver_opts: dict[str, str] = {}
        self.gw_priority = 0
        self.ip = self.ip6 = self.mac = ""

    @property
    def is_user_defined(self) -> bool:
        """Tell whether the name is that of a network somebody created."""
        return self.name not in _BUILT_IN and not self.name.startswith("container:")

    def endpoint(self) -> dict[str, object]:
        """Return EndpointSettings with the fields that were given."""
        addresses = {"IPv4Address": self.ip, "IPv6Address": self.ip6, "LinkLocalIPs": self.link_local}
        given = {name: value for name, value in addresses.items() if value}
        settings: dict[str, object] = {
            "IPAMConfig": given,
            "Aliases": self.aliases,
            "Links": self.links,
            "MacAddress": self.mac,
            "DriverOpts": self.driver_opts,
            "GwPriority": self.gw_priority,
        }
        return {name: value for name, value in settings.items() if value}


def parse_network(text: str) -> Attachment:
    """Parse `NAME` or `name=NAME,alias=...,ip=...`; raises ValueError."""
    if "=" not in text:
        return Attachment(text)
    from windlass.cli.create.csv_line import split_fields

    attachment = Attachment("")
    for field in split_fields(text):
        key, equals, value = field.lower().partition("=")
        if not equals:
            raise ValueError(f"invalid field {field}")
        _take(attachment, key.strip(" "), value.strip(" "), field.partition("=")[2].strip(" "))
    if not attachment.name:
        raise ValueError("network name/id is not specified")
    return attachment


def _take(attachment: Attachment, key: str, value: str, as_written: str) -> None:
    if key == "name":
        attachment.name = value
    elif key == "alias":
        attachment.aliases.append(value)
    elif key == "ip":
        attachment.ip = value
    elif key == "ip6":
        attachment.ip6 = value
    elif key == "mac-address":
        attachment.mac = value
    elif key == "link-local-ip":
        attachment.link_local.append(value)
    elif key == "driver-opt":
        name, equals, content = as_written.partition("=")
        if not equals:
            raise ValueError("invalid key value pair format in driver options")
        attachment.driver_opts[name.strip(" ").lower()] = content.strip(" ")
    elif key == "gw-priority":
        try:
            attachment.gw_priority = parse_int(value, base=10)
        except ValueError as error:
            raise ValueError(f"invalid gw-priority ({value}): {str(error).rpartition(': ')[2]}") from None
    else:
        raise ValueError(f"invalid field key {key}")


def attachments(values: Values) -> list[Attachment]:
    """Return the networks to attach to, the flags that concern the first one folded in; raises ValueError."""
    chosen = [item for item in values.items("network") if isinstance(item, Attachment)]
    if not chosen:
        chosen = [Attachment("default")]
    seen: set[str] = set()
    for item in chosen:
        if item.name in seen:
            raise ValueError(f'network "{item.name}" is specified multiple times')
        seen.add(item.name)
        if len(chosen) > 1 and not item.is_user_defined:
            raise ValueError("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
    _fold(chosen[0], values)
    for item in chosen:
        if not item.is_user_defined and item.aliases:
            raise ValueError("network-scoped aliases are only supported for user-defined networks")
        if item.mac:
            checked_mac(item.mac)
    return chosen


def _fold(first: Attachment, values: Values) -> None:
    """Put `--network-alias`, `--ip` and their like on the first network."""
    aliases, links = values.texts("network-alias"), values.texts("link")
    if aliases and first.aliases:
        raise ValueError("conflicting options: cannot specify both --network-alias and per-network alias")
    if links and first.links:
        raise ValueError("conflicting options: cannot specify both --link and per-network links")
    for flag, words, own in (
        ("ip", "--ip and per-network IPv4 address", first.ip),
        ("ip6", "--ip6 and per-network IPv6 address", first.ip6),
        ("mac-address", "--mac-address and per-network MAC address", first.mac),
    ):
        if values.text(flag) and own:
            raise ValueError(f"conflicting options: cannot specify both {words}")
    link_local = values.texts("link-local-ip")
    if link_local and first.link_local:
        raise ValueError(
            "conflicting options: cannot specify both --link-local-ip and per-network link-local IP addresses"
        )
    first.aliases += aliases
    first.links += links if first.is_user_defined else []
    first.link_local += link_local
    first.ip = values.text("ip") or first.ip
    first.ip6 = values.text("ip6") or first.ip6
    first.mac = values.text("mac-address") or first.mac


def link(text: str) -> str:
    """Check one `--link` value: `NAME` or `NAME:ALIAS`; raises ValueError."""
    if not text:
        raise ValueError("empty string specified for links")
    if text.count(":") > 1:
        raise ValueError(f"bad format for links: {text}")
    return text
