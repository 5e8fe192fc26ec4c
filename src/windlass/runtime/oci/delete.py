"""`delete`: kill what must not run any more, remove the control group and the record, run the last hooks.

Every step may find its work done: a command that was killed in between is taken up by the next.
"""

from __future__ import annotations

import os

from windlass.base.errors import Conflict, NotFound
from windlass.linux import signals
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.log import Log
    from windlass.runtime.oci.state import Directory, State

_END_TIMEOUT_MS = 10_000


def delete(call: Call) -> int:
    """Delete one container. With --force it may run, or not exist."""
    exactly(call.words, 1, "delete")
    force = call.values.on("force")
    try:
        if force:
            _kill_what_makes_it(call)
        directory = states.Directory.open(call.root, call.words[0])
    except NotFound:
        if force:
            return 0
        raise
    try:
        state = directory.state()
    except NotFound:
        # Its `create` was cut off before it had done anything else.
        directory.remove()
        return 0
    word = states.status(directory, state, locked=True)
    if word not in ("stopped", "created") and not force:
        raise Conflict(f"cannot delete container {state.id} that is not stopped: {word}")
    delete_container(call, directory, state)
    return 0


def _kill_what_makes_it(call: Call) -> None:
    """Kill the first process before waiting for the lock: a command that waits for it then gives up and lets go."""
    directory = states.Directory.open(call.root, call.words[0], wait=False)
    try:
        kill_first_process(directory.state())
    except NotFound:
        return
    finally:
        directory.unlock()


def delete_container(call: Call, directory: Directory, state: State | None = None) -> None:
    """Remove a container whatever it does, and run its `poststop` hooks."""
    state = state or directory.state()
    end_container(state, call.log)
    directory.remove()
    directory.unlock()
    if hooks := state.hooks.get("poststop"):
        from windlass.runtime.oci.hooks import run_and_log
        from windlass.spec.light import convert
        from windlass.spec.runtime import Hook

        run_and_log("poststop", convert(hooks, list[Hook]), states.oci_state(state, "stopped"), call.log)


def end_container(state: State, log: Log) -> None:
    """Kill all its processes and remove its control groups.

    Raises:
        CgroupError: a process does not go away; may be tried again.
    """
    kill_first_process(state)
    if state.cgroup:
        from windlass.runtime.oci.groups import open_group

        group = open_group(state)
        if group.exists():
            group.kill_all()
            group.remove()
    if state.rdt:
        from windlass.runtime.oci.rdt import remove_group

        remove_group(state.rdt, log)


def kill_first_process(state: State) -> None:
    """Kill the first process, with which its pid namespace dies, and wait until it is gone."""
    if not states.is_alive(state):
        return
    import select

    try:
        pidfd = os.pidfd_open(state.pid)
    except ProcessLookupError:
        return
    try:
        # Asked again: the pid may have changed hands before we got hold of the process.
        if not states.is_alive(state):
            return
        signals.send(pidfd, signals.SIGKILL)
        _thaw(state)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(_END_TIMEOUT_MS)
    except ProcessLookupError:
        return
    finally:
        os.close(pidfd)


def _thaw(state: State) -> None:
    """Let a paused process die."""
    if state.cgroup:
        from windlass.runtime.oci.groups import open_group

        group = open_group(state)
        if group.exists() and group.is_frozen():
            group.set_frozen(False)
