"""The seccomp agent: the listener of a filter with SCMP_ACT_NOTIFY goes to whoever is to answer its notifications.

Source: runtime-spec config-linux.md, "The Container Process State".
"""

from __future__ import annotations

import _socket
import os

from windlass.base import cold_json
from windlass.base.errors import System
from windlass.linux.descriptors import send_fds
from windlass.linux.process import copy_fd
from windlass.runtime.oci.foreground import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from windlass.spec.seccomp import LinuxSeccomp

_FD_NAME = "seccompFd"


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
        try:
            send_fds(agent, cold_json.dumps(document).encode(), [listener])
        except OSError as error:
            raise System(f"send the seccomp listener to {seccomp.listener_path}: {error.strerror}") from None
        finally:
            agent.close()
    finally:
        os.close(listener)
