"""Telling whoever started the daemon that it serves, or why it does not.

Source: sd_notify(3); `WINDLASS_READY_FD` is the command line's own, for a daemon that it starts.
"""

from __future__ import annotations

import os
import socket

READY_FD = "WINDLASS_READY_FD"


def notify(state: str) -> None:
    """Tell the service manager, when one listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.connect(address)
            sock.send(state.encode())
        except OSError:
            # A service manager that went away has nothing to be told.
            return


def answer_parent(line: str) -> None:
    """Write one line to the descriptor that the parent waits on, once, and close it."""
    text = os.environ.pop(READY_FD, "")
    if not text.isdecimal():
        return
    fd = int(text)
    try:
        os.write(fd, f"{line}\n".encode())
        os.close(fd)
    except OSError:
        return
