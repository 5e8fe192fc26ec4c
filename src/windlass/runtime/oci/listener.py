"""The seccomp agent: the listener of a filter with SCMP_ACT_NOTIFY goes to whoever is to answer its notifications.

Source: runtime-spec config-linux.md, "The Container Process State".
"""

from __future__ import annotations

import _socket
import os
import sys

from windlass.base import cold_json
from windlass.base.errors import System
from windlass.linux.process import copy_fd
from windlass.runtime.oci.foreground import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from windlass.spec.seccomp import LinuxSeccomp

_FD_NAME = "seccompFd"
_INT_BYTES = 4


def send_listener(seccomp: LinuxSeccomp, pidfd: int, number: int, pid: int, state: dict[str, Any]) -> None:
    """Copy descriptor `number` of the process and send it with the state to `listenerPath`.

    `pid` is the process's on the host.

    Raises:
        System: nobody listens there.
        OSError: the descriptor cannot be copied.
    """
    document: dict[str, Any] = {"ociVersion": state["ociVersion"], "fds": [_FD_NAME], "pid": pid, "state": state}
    if seccomp.listener_metadata:
        document["metadata"] = seccomp.listener_metadata
    listener = copy_fd(pidfd, number)
    try:
        agent = _socket.socket(fileno=connect(seccomp.listener_path))
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, listener.to_bytes(_INT_BYTES, sys.byteorder))]
        try:
            agent.sendmsg([cold_json.dumps(document).encode()], rights)
        except OSError as error:
            raise System(f"send the seccomp listener to {seccomp.listener_path}: {error.strerror}") from None
        finally:
            agent.close()
    finally:
        os.close(listener)
