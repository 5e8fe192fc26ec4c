"""`kill`, `pause` and `resume`."""

from __future__ import annotations

import os

from windlass.base.errors import Conflict, InvalidParameter
from windlass.linux.signals import LAST_SIGNAL, SIGKILL, by_name
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.state import State

_NOT_RUNNING = "container not running"


def kill(call: Call) -> int:
    """Send a signal to the first process, or to all of them."""
    if not 1 <= len(call.words) <= 2:
        raise InvalidParameter('runc: "kill" requires a minimum of 1 argument')
    number = signal_number(call.words[1] if len(call.words) > 1 else "SIGTERM")
    # Without the lock: a command that holds it may wait for the very process that is to be killed.
    directory = states.Directory.open(call.root, call.words[0], wait=False)
    try:
        state = directory.state()
        # Without a pid namespace of its own, the death of the first process is nobody else's.
        everybody = call.values.on("all") or (number == SIGKILL and state.shares_pids)
        if not states.is_alive(state) and not call.values.on("all"):
            raise Conflict(_NOT_RUNNING)
        _send([state.pid, *(_processes(state) if everybody else ())], number)
        if number == SIGKILL and states.is_frozen(state):
            _set_frozen(state, frozen=False)
    finally:
        directory.unlock()
    return 0


def _send(pids: Iterable[int], number: int) -> None:
    for pid in dict.fromkeys(pids):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _processes(state: State) -> list[int]:
    from windlass.runtime.oci.groups import open_group

    return open_group(state).processes() if state.cgroup else []


def _set_frozen(state: State, *, frozen: bool) -> None:
    from windlass.runtime.oci.groups import open_group

    open_group(state).set_frozen(frozen)


def pause(call: Call) -> int:
    """Stop all processes of a container where they are."""
    return _freeze(call, frozen=True)


def resume(call: Call) -> int:
    """Let a paused container go on."""
    return _freeze(call, frozen=False)


def _freeze(call: Call, *, frozen: bool) -> int:
    exactly(call.words, 1, call.command)
    directory = states.Directory.open(call.root, call.words[0])
    try:
        state = directory.state()
        word = states.status(directory, state, locked=True)
        if frozen and word not in ("running", "created"):
            raise Conflict(f"container not running or created: {word}")
        if not frozen and word != "paused":
            raise Conflict("container not paused")
        _set_frozen(state, frozen=frozen)
    finally:
        directory.unlock()
    return 0


def signal_number(text: str) -> int:
    """Return a signal by number, or by name with or without SIG.

    Raises:
        InvalidParameter: there is none of that name.
    """
    if text.isdecimal() and len(text) <= 2 and 0 <= int(text) <= LAST_SIGNAL:
        return int(text)
    name, sign, offset = text.upper().removeprefix("SIG").replace("-", "+-").partition("+")
    number = by_name(name)
    if not number:
        raise InvalidParameter(f'unknown signal "{text}"')
    if sign:
        if name not in ("RTMIN", "RTMAX") or not offset.removeprefix("-").isdecimal():
            raise InvalidParameter(f'unknown signal "{text}"')
        number += int(offset)
    if not 0 < number <= LAST_SIGNAL:
        raise InvalidParameter(f'unknown signal "{text}"')
    return number
