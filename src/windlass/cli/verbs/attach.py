"""`attach`: connect our streams to a running container's."""

from __future__ import annotations

from windlass.cli.command import Command, exactly
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.terminal import require_terminal
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Attach until the container ends or the user detaches; the exit code is the container's."""
    from windlass.cli.attachment import Attachment

    details = context.engine.call("GET", f"/containers/{quote(arguments[0])}/json")
    assert isinstance(details, dict)
    _check_state(details["State"])
    config = details["Config"]
    tty = bool(config.get("Tty"))
    stdin = not values.on("no-stdin") and bool(config.get("OpenStdin"))
    require_terminal(attach_stdin=not values.on("no-stdin"), tty=tty)
    streams = (["stdin"] if stdin else []) + ["stdout", "stderr"]
    attachment = Attachment(context, arguments[0], streams, tty=tty, detach_keys=values.text("detach-keys"))
    if values.on("sig-proxy") and not tty:
        attachment.proxy_signals()
    attachment.complains_of_detaching = attachment.redraws = True
    attachment.open(condition="")
    return attachment.follow()


def _check_state(state: dict[str, object]) -> None:
    if not state.get("Running"):
        raise CliError("You cannot attach to a stopped container, start it first")
    if state.get("Paused"):
        raise CliError("You cannot attach to a paused container, unpause it first")
    if state.get("Restarting"):
        raise CliError("You cannot attach to a restarting container, wait until it is running")


COMMAND = Command(
    "[OPTIONS] CONTAINER",
    run,
    rule=exactly(1),
    flags=(
        text("detach-keys", "Override the key sequence for detaching a container"),
        switch("no-stdin", "Do not attach STDIN"),
        switch("sig-proxy", "Proxy all received signals to the process", default=True),
    ),
    examples="windlass attach --detach-keys ctrl-x web",
)
