"""What was typed, as the names of keys.

Source: ECMA-48 control sequences, as xterm and its kin send them.
"""

from __future__ import annotations

_SEQUENCES = {
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
    b"\x1b[H": "home",
    b"\x1b[1~": "home",
    b"\x1b[F": "end",
    b"\x1b[4~": "end",
}
_SINGLE = {b"\x1b": "quit", b"\x03": "quit", b"\x04": "quit", b"q": "quit", b"k": "up", b"j": "down", b"\r": "s"}


def keys(typed: bytes) -> list[str]:
    """Return the keys in what one read gave; a sequence that is not known is dropped as a whole."""
    found: list[str] = []
    while typed:
        known = next((sequence for sequence in _SEQUENCES if typed.startswith(sequence)), b"")
        if known:
            found.append(_SEQUENCES[known])
            typed = typed[len(known) :]
        elif typed[:2] in (b"\x1b[", b"\x1bO"):
            end = next((place for place in range(2, len(typed)) if 0x40 <= typed[place] <= 0x7E), len(typed) - 1)
            typed = typed[end + 1 :]
        else:
            found.append(_SINGLE.get(typed[:1]) or typed[:1].decode("ascii", "replace"))
            typed = typed[1:]
    return found
