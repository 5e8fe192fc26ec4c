"""`start`: let a created container's process become its program."""

from __future__ import annotations

import os

from windlass.base.errors import Conflict
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly
from windlass.runtime.oci.process import NotStarted, failure_of, read_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.state import Directory


def start(call: Call) -> int:
    """Start one container and run its `poststart` hooks."""
    exactly(call.words, 1, "start")
    directory = states.Directory.open(call.root, call.words[0])
    try:
        state = directory.state()
        word = states.status(directory, state, locked=True)
        if word == "stopped":
            raise Conflict("cannot start a container that has stopped")
        if word != "created":
            raise Conflict("cannot start an already running container")
        _let_go_on(directory)
        if hooks := state.hooks.get("poststart"):
            from windlass.runtime.oci.hooks import run_and_log
            from windlass.spec.light import convert
            from windlass.spec.runtime import Hook

            run_and_log("poststart", convert(hooks, list[Hook]), states.oci_state(state, "running"), call.log)
    finally:
        directory.unlock()
    return 0


def _let_go_on(directory: Directory) -> None:
    """Write to the FIFO, then read why the process failed until it has become its program.

    Raises:
        NotStarted: it failed.
    """
    nonblocking = os.O_NONBLOCK | os.O_CLOEXEC
    failure = os.open(states.FAILURE_FIFO, os.O_RDONLY | nonblocking, dir_fd=directory.fd)
    try:
        os.set_blocking(failure, True)
        go = os.open(states.START_FIFO, os.O_WRONLY | nonblocking, dir_fd=directory.fd)
        try:
            os.write(go, b"1")
        finally:
            os.close(go)
        if data := read_failure(failure):
            error = failure_of(data)
            raise NotStarted(f"unable to start container process: {error.message}", error.exit_code)
    finally:
        os.close(failure)
