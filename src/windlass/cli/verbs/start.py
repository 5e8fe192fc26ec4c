"""`start`: start stopped containers, attached to one of them if wanted."""

from __future__ import annotations

from windlass.cli.command import Command, at_least
from windlass.cli.errors import CliError
from windlass.cli.flags import switch, text
from windlass.cli.terminal import require_terminal
from windlass.client.errors import CannotConnect, ClientError
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Start the containers; attached, the exit code is the container's."""
    if values.on("attach") or values.on("interactive"):
        if len(arguments) > 1:
            raise CliError("you cannot start and attach multiple containers at once")
        return _start_attached(context, values, arguments[0])
    failed = []
    for name in arguments:
        try:
            context.engine.call("POST", f"/containers/{quote(name)}/start")
        except CannotConnect:
            raise
        except ClientError as error:
            context.warn(str(error))
            failed.append(name)
        else:
            context.print(name)
    if failed:
        raise CliError(f"Error: failed to start containers: {', '.join(failed)}")
    return 0


def _start_attached(context: Context, values: Values, name: str) -> int:
    from windlass.cli.attachment import Attachment

    details = context.engine.call("GET", f"/containers/{quote(name)}/json")
    assert isinstance(details, dict)
    config = details["Config"]
    stdin = values.on("interactive") and bool(config.get("OpenStdin"))
    tty = bool(config.get("Tty"))
    require_terminal(attach_stdin=stdin, tty=tty)
    streams = (["stdin"] if stdin else []) + ["stdout", "stderr"]
    attachment = Attachment(context, str(details["Id"]), streams, tty=tty, detach_keys=values.text("detach-keys"))
    if not tty:
        attachment.proxy_signals()
    removes = bool(details.get("HostConfig", {}).get("AutoRemove"))
    attachment.open(condition="removed" if removes else "next-exit")
    context.engine.call("POST", f"/containers/{quote(str(details['Id']))}/start")
    return attachment.follow()


COMMAND = Command(
    "[OPTIONS] CONTAINER [CONTAINER...]",
    run,
    rule=at_least(1),
    flags=(
        switch("attach", "Attach STDOUT/STDERR and forward signals", "a"),
        text("detach-keys", "Override the key sequence for detaching a container"),
        switch("interactive", "Attach container's STDIN", "i"),
    ),
    examples="""
windlass start web
windlass start -ai shell
""",
)
