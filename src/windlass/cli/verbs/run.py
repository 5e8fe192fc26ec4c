"""`run`: a container created, attached to, started and waited for."""

from __future__ import annotations

from windlass.cli.attachment import Attachment, detach_keys
from windlass.cli.command import Command, at_least
from windlass.cli.create.flags import CREATE_FLAGS, pull_flag
from windlass.cli.errors import EXIT_CANNOT_INVOKE, EXIT_ENGINE, EXIT_NOT_FOUND, CliError, with_help
from windlass.cli.flags import switch, text
from windlass.cli.launching import create_container, request_body
from windlass.cli.terminal import require_terminal, window_size
from windlass.client.errors import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.create.body import Fields
    from windlass.cli.flags import Values

_NOT_FOUND = ("executable file not found", "no such file or directory", "system cannot find the file specified")
_NOT_INVOCABLE = ("permission denied", "is a directory")


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Run the container; the exit code is the container's own, or 125, 126, 127."""
    detached = values.on("detach")
    if detached and values.given("attach"):
        raise _failure(context, "conflicting options: cannot specify both --attach and --detach")
    try:
        body = request_body(context, values, arguments, detached=detached)
    except CliError as error:
        raise _failure(context, error.message) from None
    tty = values.on("tty")
    if not detached:
        require_terminal(attach_stdin="AttachStdin" in body, tty=tty)
    if tty:
        detach_keys(context, values.text("detach-keys"))
        _add_console_size(body)
    try:
        container = create_container(context, values, body)
    except CliError as error:
        raise _failure(context, error.message) from None
    if detached:
        _start(context, container)
        context.print(container)
        return 0
    return _run_attached(context, values, container, body)


def _run_attached(context: Context, values: Values, container: str, body: Fields) -> int:
    streams = [name for name in ("stdin", "stdout", "stderr") if f"Attach{name.capitalize()}" in body]
    attachment = Attachment(context, container, streams, tty=values.on("tty"), detach_keys=values.text("detach-keys"))
    if values.on("sig-proxy"):
        attachment.proxy_signals()
    waits = "stdout" in streams or "stderr" in streams
    attachment.open(condition=("removed" if values.on("rm") else "next-exit") if waits else None)
    _start(context, container)
    if not waits:
        context.print(container)
    status = attachment.follow()
    return status if waits else 0


def _start(context: Context, container: str) -> None:
    try:
        context.engine.call("POST", f"/containers/{container}/start")
    except ApiError as error:
        raise CliError(with_help(str(error), context.path), _start_status(error.message)) from None


def _start_status(message: str) -> int:
    """Return the exit code for a failed start.

    Source: https://docs.docker.com/engine/containers/run/#exit-status
    """
    if any(words in message for words in _NOT_FOUND):
        return EXIT_NOT_FOUND
    if any(words in message for words in _NOT_INVOCABLE):
        return EXIT_CANNOT_INVOKE
    return EXIT_ENGINE


def _add_console_size(body: Fields) -> None:
    rows, columns = window_size()
    host = body["HostConfig"]
    if rows and isinstance(host, dict):
        host["ConsoleSize"] = [rows, columns]


def _failure(context: Context, message: str) -> CliError:
    return CliError(with_help(message, context.path), EXIT_ENGINE)


COMMAND = Command(
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    run,
    flags=(
        *CREATE_FLAGS,
        pull_flag("running"),
        switch("detach", "Run container in background and print container ID", "d"),
        text("detach-keys", "Override the key sequence for detaching a container"),
        switch("sig-proxy", "Proxy received signals to the process", default=True),
    ),
    rule=at_least(1),
    interspersed=False,
    engine_status=EXIT_ENGINE,
    examples="""
windlass run --rm windlass/hello
windlass run --rm -it windlass/busybox sh
windlass run -d --name web -p 8080:80 --memory 256m --restart unless-stopped nginx
windlass run --rm -v "$PWD":/src -w /src -u "$(id -u)" windlass/debian:bookworm make
""",
)
