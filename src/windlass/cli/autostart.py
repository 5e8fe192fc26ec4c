"""Starting the engine when a command needs it and none listens.

The engine is told a file descriptor in WINDLASS_READY_FD and writes one line to it: `ready`, or why it cannot start.
Two commands may start one at the same time: the engine's pid-file lock lets one through, and both connect to it.
"""

from __future__ import annotations

import os
import sys
import time

from windlass.cli.boot import python_command
from windlass.cli.context import STDERR, write_all
from windlass.cli.errors import EXIT_ENGINE, CliError
from windlass.client.errors import CannotConnect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.client.endpoint import Endpoint

READY = "ready"
READY_VARIABLE = "WINDLASS_READY_FD"
LOG_NAME = "windlassd.log"
START_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 5.0
SILENT_S = 1.0
PAUSE_S = 0.01
LOG_TAIL_BYTES = 2048
RUN_ROOT_MODE = 0o711


def start_daemon(endpoint: Endpoint) -> None:
    """Start an engine that outlives us and wait until it listens at `endpoint`; raises CliError."""
    assert isinstance(endpoint.address, str)
    run_root = os.path.dirname(endpoint.address)
    log_path = f"{run_root}/{LOG_NAME}"
    try:
        os.makedirs(run_root, RUN_ROOT_MODE, exist_ok=True)
        ready, answer = os.pipe()
        _spawn(log_path, answer)
        os.close(answer)
    except OSError as error:
        raise CliError(f"cannot start the engine: {error}", EXIT_ENGINE) from None
    try:
        complaint = _await_line(ready)
    finally:
        os.close(ready)
    _connect_or_explain(endpoint, complaint, log_path)


def _spawn(log_path: str, answer: int) -> None:
    """Start the engine in a session of its own, its output going to the log."""
    os.set_inheritable(answer, True)
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    os.posix_spawn(
        sys.executable,
        python_command("windlass.daemon.main", "windlassd", [], directory="/"),
        {**os.environ, READY_VARIABLE: str(answer)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log_path, log_flags, 0o640),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _await_line(ready: int) -> str:
    """Return the engine's line, empty when it is `ready`; raises CliError when it says nothing for too long."""
    import select

    poll = select.poll()
    poll.register(ready, select.POLLIN)
    deadline = time.monotonic() + START_TIMEOUT_S
    received = b""
    announced = False
    while b"\n" not in received:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise CliError(f"the engine did not become ready within {START_TIMEOUT_S:.0f} s", EXIT_ENGINE)
        if not poll.poll(1000 * (left_s if announced else min(left_s, SILENT_S))):
            if not announced:
                write_all(STDERR, b"Starting the engine ...\n")
                announced = True
            continue
        piece = os.read(ready, 4096)
        if not piece:
            return received.decode("utf-8", "replace") or "it ended at once"
        received += piece
    line = received.partition(b"\n")[0].decode("utf-8", "replace").strip()
    return "" if line == READY else line


def _connect_or_explain(endpoint: Endpoint, complaint: str, log_path: str) -> None:
    """Connect, giving another command's engine time to listen; raises CliError with what ours said last."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            endpoint.connect().close()
        except CannotConnect as error:
            if time.monotonic() > deadline:
                reason = complaint or str(error)
                raise CliError(f"cannot start the engine: {reason}{_log_tail(log_path)}", EXIT_ENGINE) from None
            time.sleep(PAUSE_S)
        else:
            return


def _log_tail(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()[-5:]
    except OSError:
        return ""
    return "".join(f"\n  {line}" for line in lines) + f"\nThe whole log is in {path}."
