"""`volume create`: make a volume."""

from __future__ import annotations

from windlass.cli.command import Command, at_most
from windlass.cli.create.environment import label, mapping
from windlass.cli.errors import CliError
from windlass.cli.flags import listing, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Create the volume and print its name."""
    name = values.text("name")
    if arguments:
        if name:
            raise CliError(
                "conflicting options: cannot specify a volume-name through both --name and as a positional arg"
            )
        name = arguments[0]
    body = {
        "Name": name,
        "Driver": values.text("driver"),
        "DriverOpts": mapping(values.texts("opt")),
        "Labels": mapping(values.texts("label")),
    }
    created = context.engine.call("POST", "/volumes/create", body={key: value for key, value in body.items() if value})
    assert isinstance(created, dict)
    context.print(str(created["Name"]))
    return 0


COMMAND = Command(
    "[OPTIONS] [VOLUME]",
    run,
    rule=at_most(1),
    flags=(
        text("driver", "Specify volume driver name", "d", default="local"),
        listing("label", "Set metadata for a volume", parse=label),
        text("name", "Specify volume name", hidden=True),
        listing("opt", "Set driver specific options", "o", type_name="map", default_note="map[]"),
    ),
    examples="windlass volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch",
)
