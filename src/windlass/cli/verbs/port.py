"""`port`: where the ports of a container are published."""

from __future__ import annotations

from windlass.cli.command import Command, between
from windlass.cli.errors import CliError
from windlass.cli.rows.ports import join_host_port
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, _values: Values, arguments: list[str]) -> int:
    """Print every mapping, or those of one port."""
    details = context.engine.call("GET", f"/containers/{quote(arguments[0])}/json")
    assert isinstance(details, dict)
    ports: dict[str, list[dict[str, str]] | None] = details["NetworkSettings"].get("Ports") or {}
    if len(arguments) == 1:
        lines = [
            f"{port} -> {_address(binding)}" for port in sorted(ports, key=_order) for binding in ports[port] or ()
        ]
    else:
        number, _, protocol = arguments[1].partition("/")
        wanted = f"{number}/{protocol or 'tcp'}"
        if not number.isdecimal():
            raise CliError(f"Error: invalid port ({number})")
        lines = [_address(binding) for binding in ports.get(wanted) or ()]
        if not lines:
            raise CliError(f"Error: No public port '{arguments[1]}' published for {arguments[0]}")
    context.out("".join(f"{line}\n" for line in lines))
    return 0


def _address(binding: dict[str, str]) -> str:
    return join_host_port(binding.get("HostIp", ""), binding.get("HostPort", ""))


def _order(port: str) -> tuple[int, str]:
    number, _, protocol = port.partition("/")
    return int(number), protocol


COMMAND = Command(
    "CONTAINER [PRIVATE_PORT[/PROTO]]",
    run,
    rule=between(1, 2),
    examples="windlass port web 80/tcp",
)
