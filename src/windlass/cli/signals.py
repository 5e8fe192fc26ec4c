"""Signals: their names, and passing on those that this process receives."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# Not passed on: what cannot be caught, what the kernel sends for faults of our own, what only concerns us.
_KEPT = frozenset(
    (
        "KILL",
        "STOP",
        "CHLD",
        "CLD",
        "PIPE",
        "WINCH",
        "URG",
        "SEGV",
        "BUS",
        "FPE",
        "ILL",
        "TRAP",
        "ABRT",
        "PROF",
    )
)


def names() -> dict[int, str]:
    """Return the names of all signals by number, without `SIG`."""
    found: dict[int, str] = {}
    for name in dir(_signal):
        if name.startswith("SIG") and "_" not in name and name[3:] not in ("RTMIN", "RTMAX", "CLD", "POLL"):
            found[int(getattr(_signal, name))] = name[3:]
    first, last = int(_signal.SIGRTMIN), int(_signal.SIGRTMAX)
    for number in range(first, last + 1):
        found[number] = f"RTMIN+{number - first}" if number > first else "RTMIN"
    return found


class SignalProxy:
    """Passes signals on to a container, by name; those that come before it is `live` wait until then.

    The handlers run in the main thread between two instructions, also while it is blocked in a system call.
    """

    def __init__(self, forward: Callable[[str], None]) -> None:
        self._forward = forward
        self._pending: list[str] = []
        self._live = False
        self._names = names()

    def install(self) -> None:
        """Take over every signal that is passed on."""
        for number, name in self._names.items():
            if name not in _KEPT:
                try:
                    _signal.signal(number, self._received)
                except (OSError, ValueError):  # the C library keeps some for itself
                    continue

    def go_live(self) -> None:
        """The container runs: pass on what has come so far, and from now on at once."""
        self._live = True
        while self._pending:
            self._forward(self._pending.pop(0))

    def _received(self, number: int, _frame: object) -> None:
        name = self._names[number]
        if self._live:
            self._forward(name)
        else:
            self._pending.append(name)


def on_resize(action: Callable[[], None]) -> None:
    """Call `action` whenever the terminal changes its size."""
    _signal.signal(_signal.SIGWINCH, lambda _number, _frame: action())
