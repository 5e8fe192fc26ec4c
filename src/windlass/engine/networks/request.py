"""A network that is asked for: checked, and completed to what is kept of it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import msgspec

from windlass.base.clock import now_ns
from windlass.base.errors import Forbidden, InvalidParameter, NotSupported
from windlass.base.ids import SHORT_ID_LENGTH, new_id
from windlass.engine.networks.record import BRIDGE, PREDEFINED, NetworkRecord
from windlass.engine.settings import EngineSettings

_BRIDGE_OPTION = "com.docker.network.bridge."
_MTU_OPTION = "com.docker.network.driver.mtu"
_FALSE = frozenset(("false", "0", "f", "F", "False", "FALSE"))
_MTU_RANGE = range(68, 65536)


class NetworkRequest(msgspec.Struct, frozen=True):
    """A network that a user asks for."""

    name: str
    driver: str = BRIDGE
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    attachable: bool = False
    enable_ipv6: bool = False
    labels: dict[str, str] = {}
    options: dict[str, str] = {}


def check_request(request: NetworkRequest) -> None:
    """Refuse what cannot be made.

    Raises:
        InvalidParameter, Forbidden, NotSupported: in dockerd's words.
    """
    if not request.name.strip():
        raise InvalidParameter("invalid network name: name is empty")
    if request.name in (*PREDEFINED, "default"):
        raise Forbidden(f"operation is not permitted on predefined {request.name} network ")
    if request.driver not in ("", "default", BRIDGE):
        raise NotSupported(f"could not find plugin {request.driver} in v1 plugin registry: plugin not found")
    if request.enable_ipv6:
        raise NotSupported("IPv6 networks are not supported by this engine yet")


def planned_network(request: NetworkRequest, free: IPv4Network | None, default_mtu: int) -> NetworkRecord:
    """Return the record of a new network, on the subnet asked for or else on `free`.

    Raises:
        InvalidParameter: addresses or options are malformed.
    """
    subnet = free if free is not None else _subnet(request.subnet)
    network_id = new_id()
    options = request.options
    return NetworkRecord(
        id=network_id,
        name=request.name,
        driver=BRIDGE,
        created_ns=now_ns(),
        bridge_name=options.get(f"{_BRIDGE_OPTION}name", f"wl-{network_id[:SHORT_ID_LENGTH]}"),
        subnet=str(subnet),
        gateway=str(parse_address(request.gateway)) if request.gateway else str(subnet[1]),
        mtu=_mtu(options.get(_MTU_OPTION, ""), default_mtu),
        internal=request.internal,
        attachable=request.attachable,
        icc=options.get(f"{_BRIDGE_OPTION}enable_icc") not in _FALSE,
        masquerade=options.get(f"{_BRIDGE_OPTION}enable_ip_masquerade") not in _FALSE,
        labels=request.labels,
        options=options,
    )


def default_bridge(settings: EngineSettings, old: NetworkRecord | None, free: IPv4Network | None) -> NetworkRecord:
    """Return the network `bridge` as the settings want it; `old` is what it was, `free` a subnet for a new one.

    Raises:
        InvalidParameter: `--bip` is malformed.
    """
    if settings.bridge_address:
        interface = _interface(settings.bridge_address)
        subnet, gateway = interface.network, interface.ip
    elif free is not None:
        subnet, gateway = free, free[1]
    else:
        assert old is not None, "either is there"
        subnet, gateway = IPv4Network(old.subnet), IPv4Address(old.gateway)
    return NetworkRecord(
        id=old.id if old else new_id(),
        name=BRIDGE,
        driver=BRIDGE,
        created_ns=old.created_ns if old else now_ns(),
        bridge_name=settings.bridge_name,
        subnet=str(subnet),
        gateway=str(gateway),
        mtu=settings.mtu,
        icc=settings.icc,
        masquerade=settings.ip_masquerade,
        options={
            f"{_BRIDGE_OPTION}default_bridge": "true",
            f"{_BRIDGE_OPTION}enable_icc": str(settings.icc).lower(),
            f"{_BRIDGE_OPTION}enable_ip_masquerade": str(settings.ip_masquerade).lower(),
            f"{_BRIDGE_OPTION}host_binding_ipv4": settings.publish_address or "0.0.0.0",
            f"{_BRIDGE_OPTION}name": settings.bridge_name,
            _MTU_OPTION: str(settings.mtu),
        },
    )


def _mtu(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or int(text) not in _MTU_RANGE:
        raise InvalidParameter(f"invalid MTU: {text}")
    return int(text)


def _interface(text: str) -> IPv4Interface:
    try:
        return IPv4Interface(text)
    except ValueError:
        raise InvalidParameter(f"invalid CIDR address: {text}") from None


def _subnet(text: str) -> IPv4Network:
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        raise InvalidParameter(f"invalid network config: invalid subnet {text}: invalid CIDR block notation") from None


def parse_address(text: str) -> IPv4Address:
    """Return an address.

    Raises:
        InvalidParameter: it is none.
    """
    try:
        return IPv4Address(text)
    except ValueError:
        raise InvalidParameter(f"invalid IPv4 address: {text}") from None
