"""`network connect`: attach a container to a network."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.create.environment import mapping
from windlass.cli.create.networks import link
from windlass.cli.errors import CliError
from windlass.cli.flags import integer, listing, text
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Attach the container."""
    network, container = arguments
    addresses = {
        "IPv4Address": values.text("ip"),
        "IPv6Address": values.text("ip6"),
        "LinkLocalIPs": _split(values, "link-local-ip"),
    }
    settings = {
        "IPAMConfig": {name: value for name, value in addresses.items() if value},
        "Links": values.texts("link"),
        "Aliases": _split(values, "alias"),
        "DriverOpts": _driver_options(values),
        "GwPriority": values.number("gw-priority"),
    }
    body = {"Container": container, "EndpointConfig": {name: value for name, value in settings.items() if value}}
    context.engine.call("POST", f"/networks/{quote(network)}/connect", body=body)
    return 0


def _split(values: Values, name: str) -> list[str]:
    return [part for words in values.texts(name) for part in words.split(",")]


def _driver_options(values: Values) -> dict[str, str]:
    options = _split(values, "driver-opt")
    if not all("=" in option for option in options):
        raise CliError("invalid key/value pair format in driver options")
    return mapping(options)


COMMAND = Command(
    "[OPTIONS] NETWORK CONTAINER",
    run,
    rule=exactly(2),
    flags=(
        listing("alias", "Add network-scoped alias for the container", type_name="strings"),
        listing("driver-opt", "driver options for the network", type_name="strings"),
        integer(
            "gw-priority",
            "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
        ),
        text("ip", 'IPv4 address (e.g., "172.30.100.104")'),
        text("ip6", 'IPv6 address (e.g., "2001:db8::33")'),
        listing("link", "Add link to another container", parse=link),
        listing("link-local-ip", "Add a link-local address for the container", type_name="strings"),
    ),
    examples="windlass network connect --alias db backend postgres",
)
