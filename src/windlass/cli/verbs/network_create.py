"""`network create`: make a network."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.create.environment import label, mapping
from windlass.cli.errors import CliError
from windlass.cli.flags import Flag, listing, switch, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Create the network and print its id."""
    created = context.engine.call("POST", "/networks/create", body=_body(values, arguments[0]))
    assert isinstance(created, dict)
    if created.get("Warning"):
        context.warn(f"WARNING: {created['Warning']}")
    context.print(str(created["Id"]))
    return 0


def _body(values: Values, name: str) -> dict[str, object]:
    body: dict[str, object] = {
        "Name": name,
        "Driver": values.text("driver"),
        "Scope": values.text("scope"),
        "IPAM": {
            "Driver": values.text("ipam-driver"),
            "Options": mapping(values.texts("ipam-opt")),
            "Config": _pools(values),
        },
        "Internal": values.on("internal"),
        "Attachable": values.on("attachable"),
        "Ingress": values.on("ingress"),
        "ConfigOnly": values.on("config-only"),
        "Options": mapping(values.texts("opt")),
        "Labels": mapping(values.texts("label")),
    }
    if values.text("config-from"):
        body["ConfigFrom"] = {"Network": values.text("config-from")}
    for family in ("ipv4", "ipv6"):
        if values.given(family):
            body[f"EnableIP{family[2:]}"] = values.on(family)
    return body


def _pools(values: Values) -> list[dict[str, object]]:
    """Match ranges, gateways and reserved addresses with the subnets they lie in; raises CliError."""
    import ipaddress

    subnets = _split(values, "subnet")
    try:
        nets = [ipaddress.ip_network(subnet, strict=False) for subnet in subnets]
    except ValueError as error:
        raise CliError(f"invalid CIDR address: {error}") from None
    for index, net in enumerate(nets):
        for other in nets[:index]:
            if net.version == other.version and net.overlaps(other):
                raise CliError("multiple overlapping subnet configuration is not supported")
    pools: list[dict[str, object]] = [{"Subnet": subnet} for subnet in subnets]

    def pool_of(text: str, what: str) -> dict[str, object]:
        address = ipaddress.ip_address(text.partition("/")[0])
        for net, pool in zip(nets, pools, strict=True):
            if address in net:
                return pool
        raise CliError(f"no matching subnet for {what} {text}")

    for flag, field, what in (("ip-range", "IPRange", "range"), ("gateway", "Gateway", "gateway")):
        for given in _split(values, flag):
            pool = pool_of(given, what)
            if field in pool:
                raise CliError(f"cannot configure multiple {what}s ({given}, {pool[field]}) on the same subnet")
            pool[field] = given
    for name, address in mapping(values.texts("aux-address")).items():
        reserved = pool_of(address, "aux-address").setdefault("AuxiliaryAddresses", {})
        assert isinstance(reserved, dict)
        reserved[name] = address
    return pools


def _split(values: Values, name: str) -> list[str]:
    return [part for text in values.texts(name) for part in text.split(",")]


def _map(name: str, usage: str, short: str = "") -> Flag:
    return listing(name, usage, short, type_name="map", default_note="map[]")


COMMAND = Command(
    "[OPTIONS] NETWORK",
    run,
    rule=exactly(1),
    flags=(
        switch("attachable", "Enable manual container attachment"),
        _map("aux-address", "Auxiliary IPv4 or IPv6 addresses used by Network driver"),
        text("config-from", "The network from which to copy the configuration"),
        switch("config-only", "Create a configuration only network"),
        text("driver", "Driver to manage the Network", "d", default="bridge"),
        listing("gateway", "IPv4 or IPv6 Gateway for the master subnet", type_name="strings"),
        switch("ingress", "Create swarm routing-mesh network"),
        switch("internal", "Restrict external access to the network"),
        listing("ip-range", "Allocate container ip from a sub-range", type_name="strings"),
        text("ipam-driver", "IP Address Management Driver", default="default"),
        _map("ipam-opt", "Set IPAM driver specific options"),
        switch("ipv4", "Enable or disable IPv4 address assignment", default=True),
        switch("ipv6", "Enable or disable IPv6 address assignment"),
        listing("label", "Set metadata on a network", parse=label),
        _map("opt", "Set driver specific options", "o"),
        text("scope", "Control the network's scope"),
        listing("subnet", "Subnet in CIDR format that represents a network segment", type_name="strings"),
    ),
    examples="windlass network create --subnet 10.20.0.0/24 --gateway 10.20.0.1 backend",
)
