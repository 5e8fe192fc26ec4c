"""What an observer of the API is told of each request: enough to account for it, and none of its content."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered. `path` has no query, for there are secrets in queries; `peer` tells who asked:
    `uid`, `gid` and `pid` on a unix socket, else `address`, with `subject` when a certificate said who it is."""

    method: str
    path: str
    status: int
    duration_s: float
    peer: dict[str, object]


Observer = Callable[[Answered], None]


def peer_of(sock: socket.socket, subject: str) -> dict[str, object]:
    """Return who is at the other end. Source: unix(7), SO_PEERCRED."""
    if subject:
        # Certificates may have spaces in names, addresses have none.
        name, _, address = subject.rpartition(" ")
        return {"subject": name, "address": address}
    if sock.family == socket.AF_UNIX:
        pid, uid, gid = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return {"uid": uid, "gid": gid, "pid": pid}
    address, port = sock.getpeername()[:2]
    return {"address": f"{address}:{port}"}
