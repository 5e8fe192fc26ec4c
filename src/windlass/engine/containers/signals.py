"""Signals by name or number, as users write them.

Source: signal(7); Engine API, ContainerKill.
"""

from __future__ import annotations

import signal

from windlass.base.errors import InvalidParameter

_LAST = 64
_NAMES = {entry.name.removeprefix("SIG"): int(entry) for entry in signal.Signals}
_NAMES |= {"RTMIN": signal.SIGRTMIN, "RTMAX": signal.SIGRTMAX}
_NAMES |= {f"RTMIN+{n}": signal.SIGRTMIN + n for n in range(1, 16)}
_NAMES |= {f"RTMAX-{n}": signal.SIGRTMAX - n for n in range(1, 15)}


def parse_signal(text: str) -> int:
    """Return the number of `TERM`, `SIGTERM`, `sigterm` or `15`.

    Raises:
        InvalidParameter: there is no such signal.
    """
    if text.isdecimal():
        number = int(text)
        if 0 < number <= _LAST:
            return number
        raise InvalidParameter(f"invalid signal: {text}")
    found = _NAMES.get(text.upper().removeprefix("SIG"))
    if found is None:
        raise InvalidParameter(f"invalid signal: {text}")
    return int(found)
