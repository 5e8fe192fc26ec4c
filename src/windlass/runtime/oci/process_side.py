"""The other end of `windlass.runtime.oci.process`: the sealed interpreter, which forks init and ends."""

from __future__ import annotations

import _socket
import marshal
import os
import sys

from windlass.base.errors import WindlassError
from windlass.launch import init
from windlass.launch.init_context import InitContext
from windlass.launch.pid_namespace import enter_pid_namespace
from windlass.linux.descriptors import MAX_FDS, receive_fds, send_fds
from windlass.linux.process import close_on_exec_from, reset_internal_signals
from windlass.runtime.oci.packing import unpack
from windlass.runtime.oci.process import FDS_FIELD, HEADER_BYTES
from windlass.spec.plan import Fork, LaunchPlan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 1 << 16
_PID_DIGITS = 16


def main() -> None:
    """Serve one request on the socket that `sys.argv` names."""
    control = _socket.socket(fileno=int(sys.argv[0]))
    os.set_inheritable(control.fileno(), False)
    status = 1
    try:
        reset_internal_signals()
        request = _receive(control)
        if request is not None:
            # Whatever else the command was given stays outside; the program gets its own by `Exec.preserve_fds`.
            close_on_exec_from(3 + request["preserved"])
            _serve(control, request)
        status = 0
    finally:
        os._exit(status)


def _receive(control: _socket.socket) -> dict[str, Any] | None:
    """Return the request with its descriptors by name; None when the command gave up."""
    header, fds = receive_fds(control, HEADER_BYTES, MAX_FDS)
    if len(header) < HEADER_BYTES:
        return None
    missing = int.from_bytes(header, "little")
    chunks = []
    while missing and (chunk := control.recv(min(missing, _CHUNK))):
        chunks.append(chunk)
        missing -= len(chunk)
    if missing:
        return None
    request: dict[str, Any] = marshal.loads(b"".join(chunks))
    request[FDS_FIELD] = dict(zip(request[FDS_FIELD], fds, strict=True))
    return request


def _serve(control: _socket.socket, request: dict[str, Any]) -> None:
    try:
        pid = _launch(control, request)
        pidfd = os.pidfd_open(pid)
    except WindlassError as error:
        control.send(error.message.encode())
        return
    except OSError as error:
        where = f" {os.fsdecode(error.filename)}" if error.filename else ""
        control.send(f"start the process{where}: {error.strerror or error}".encode())
        return
    send_fds(control, str(pid).encode(), [pidfd])


def _launch(control: _socket.socket, request: dict[str, Any]) -> int:
    """Fork init and return its pid."""
    plan: LaunchPlan = unpack(request["plan"])
    fds: dict[str, int] = request[FDS_FIELD]
    forks = any(isinstance(op, Fork) for op in plan.ops)
    pid_read, pid_write = os.pipe2(os.O_CLOEXEC) if forks else (-1, -1)
    context = InitContext(
        plan=plan,
        cgroup_fds=[os.open(path, os.O_WRONLY | os.O_CLOEXEC) for path in plan.cgroup_files],
        passed_fds=[],
        target_pidfd=fds.get("target", -1),
        terminal_socket=fds.get("terminal", -1),
        start_fd=fds.get("start", -1),
        sync_fd=fds["sync"],
        pid_fd=pid_write,
        rows=request.get("rows", 0),
        columns=request.get("columns", 0),
        bound=False,
    )
    enter_pid_namespace(plan)
    pid = os.fork()
    if pid == 0:
        try:
            control.close()
            init.become(context, fds["failure"])
        finally:
            os._exit(1)
    if not forks:
        return pid
    os.close(pid_write)
    told = os.read(pid_read, _PID_DIGITS)
    if not told:
        # The child ended without a second one; why is in the failure pipe.
        return pid
    os.waitpid(pid, 0)
    return int(told)
