"""`create` and `run`: from a bundle to a process that waits for `start`, or runs.

Source: runtime-spec runtime.md, "Lifecycle", steps 1 to 8.
"""

from __future__ import annotations

import os

from windlass.base.errors import InvalidParameter, NotFound
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly
from windlass.runtime.oci.making import Making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.call import Call
    from windlass.spec.runtime import RuntimeSpec


def create(call: Call) -> int:
    """Make the container and leave it before its program."""
    bundle, spec = _read(call)
    console = _console_socket(call, spec, follows=False)
    making = Making(call, bundle, spec, held=True)
    try:
        making.make(console)
        _write_pid_file(call, making.state.pid)
    except BaseException:
        making.undo()
        raise
    finally:
        making.let_go()
    return 0


def run(call: Call) -> int:
    """Make the container, let it run, and unless detached return its exit code and remove it."""
    from windlass.runtime.oci.foreground import Foreground

    follows = not call.values.on("detach")
    bundle, spec = _read(call)
    console = _console_socket(call, spec, follows=follows)
    making = Making(call, bundle, spec, held=False)
    terminal = follows and spec.process is not None and spec.process.terminal
    with Foreground(follows=follows, terminal=terminal, adopts=not call.values.on("no-subreaper")) as front:
        try:
            making.make(front.terminal_socket if console is None else console)
            _write_pid_file(call, making.state.pid)
            making.started()
            front.take(making.pidfd)
        except BaseException:
            making.undo()
            raise
        finally:
            making.let_go()
        if not follows:
            return 0
        code = front.wait(making.state.pid)
    if not call.values.on("keep"):
        _delete(call, making.state.id)
    return code


def _delete(call: Call, container_id: str) -> None:
    from windlass.runtime.oci.delete import delete_container

    try:
        delete_container(call, states.Directory.open(call.root, container_id))
    except NotFound:
        # Somebody was quicker.
        return


def _read(call: Call) -> tuple[str, RuntimeSpec]:
    exactly(call.words, 1, call.command)
    states.check_id(call.words[0])
    from windlass.runtime.oci.bundle import read_spec

    bundle = os.path.realpath(call.values.text("bundle") or ".")
    return bundle, read_spec(bundle, call.log.warn)


def _console_socket(call: Call, spec: RuntimeSpec, *, follows: bool) -> int | None:
    """Return the connected socket that wants the terminal's master, if any. The texts are runc's."""
    wanted = spec.process is not None and spec.process.terminal
    given = call.values.text("console-socket")
    check_console(given, wanted=wanted, follows=follows)
    if not given:
        return None
    from windlass.runtime.oci.foreground import connect

    return connect(given)


def check_console(given: str, *, wanted: bool, follows: bool) -> None:
    """Refuse a terminal that nobody would hold, and a holder without a terminal.

    Raises:
        InvalidParameter: in runc's words.
    """
    if wanted and not given and not follows:
        raise InvalidParameter("cannot allocate tty if runc will detach without setting console socket")
    if given and (follows or not wanted):
        raise InvalidParameter("cannot use console socket if runc will not detach or allocate tty")


def _write_pid_file(call: Call, pid: int) -> None:
    if path := call.values.text("pid-file"):
        write_pid_file(path, pid)


def write_pid_file(path: str, pid: int) -> None:
    """Write a pid so that readers find no half of it."""
    directory, name = os.path.split(path)
    partial = os.path.join(directory, f".{name}")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        os.write(fd, str(pid).encode())
    finally:
        os.close(fd)
    os.rename(partial, path)
