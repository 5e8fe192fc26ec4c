"""`exec`: run a command in a running container."""

from __future__ import annotations

import os

from windlass.cli.command import Command, at_least
from windlass.cli.errors import EXIT_FAILURE
from windlass.cli.flags import listing, switch, text
from windlass.cli.terminal import require_terminal, window_size
from windlass.cli.variables import variable_flag
from windlass.client.wire import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.context import Context
    from windlass.cli.flags import Values


def run(context: Context, values: Values, arguments: list[str]) -> int:
    """Run the command; the exit code is the command's."""
    container, *command = arguments
    detached, tty = values.on("detach"), values.on("tty")
    if not detached:
        require_terminal(attach_stdin=values.on("interactive"), tty=tty)
    created = context.engine.call(
        "POST", f"/containers/{quote(container)}/exec", body=_create_body(context, values, command)
    )
    assert isinstance(created, dict)
    path = f"/exec/{created['Id']}"
    if detached:
        context.engine.call("POST", f"{path}/start", body={"Detach": True, "Tty": tty})
        return 0
    return _run_attached(context, values, path)


def _create_body(context: Context, values: Values, command: list[str]) -> dict[str, object]:
    detached = values.on("detach")
    body: dict[str, object] = {
        "Cmd": command,
        "Detach": detached,
        "AttachStdin": values.on("interactive") and not detached,
        "AttachStdout": not detached,
        "AttachStderr": not detached,
        "Tty": values.on("tty"),
        "Privileged": values.on("privileged"),
        "User": values.text("user"),
        "WorkingDir": values.text("workdir"),
    }
    if values.given("env") or values.given("env-file"):
        from windlass.cli.create.environment import merged

        body["Env"] = merged(values.texts("env-file"), values.texts("env"))
    keys = values.text("detach-keys") or (context.config.text("detachKeys") if values.on("tty") else "")
    if keys:
        body["DetachKeys"] = keys
    rows, columns = window_size() if values.on("tty") and not detached else (0, 0)
    if rows:
        body["ConsoleSize"] = [rows, columns]
    return body


def _run_attached(context: Context, values: Values, path: str) -> int:
    from windlass.cli.attachment import DETACHED, detach_keys, resize
    from windlass.cli.session import Session

    tty = values.on("tty")
    keys = detach_keys(context, values.text("detach-keys"))[1] if tty else b""
    stream = context.engine.hijack(f"{path}/start", body={"Detach": False, "Tty": tty})
    if tty and os.isatty(1):
        from windlass.cli.signals import on_resize

        on_resize(lambda: resize(context, f"{path}/resize"))
        resize(context, f"{path}/resize")
    session = Session(stream, tty=tty, stdin=values.on("interactive"), detach_keys=keys)
    session.run()
    if session.detached:
        context.warn(DETACHED)
        return EXIT_FAILURE
    details = context.engine.call("GET", f"{path}/json")
    assert isinstance(details, dict)
    return int(details.get("ExitCode") or 0)


COMMAND = Command(
    "[OPTIONS] CONTAINER COMMAND [ARG...]",
    run,
    rule=at_least(2),
    interspersed=False,
    flags=(
        switch("detach", "Detached mode: run command in the background", "d"),
        text("detach-keys", "Override the key sequence for detaching a container"),
        variable_flag(),
        listing("env-file", "Read in a file of environment variables"),
        switch("interactive", "Keep STDIN open even if not attached", "i"),
        switch("privileged", "Give extended privileges to the command"),
        switch("tty", "Allocate a pseudo-TTY", "t"),
        text("user", 'Username or UID (format: "<name|uid>[:<group|gid>]")', "u"),
        text("workdir", "Working directory inside the container", "w"),
    ),
    examples="""
windlass exec -it web sh
windlass exec -u 1000 -w /srv -e MODE=check web ./check
""",
)
