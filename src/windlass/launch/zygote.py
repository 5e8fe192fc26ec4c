"""The zygote: a single-threaded process that has imported what a launch needs, and then only forks.

It reads one datagram at a time from its socket (descriptor 3): a request with descriptors. Each request is one fork;
the child answers on the socket that came with it, so the zygote never waits. It ends when the daemon's end closes.

Source: design law 1: setns, unshare and fork happen only in processes with one thread.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable

from windlass.launch import jobs, supervisor, wire
from windlass.linux.namespaces import CLONE_NEWNET, CLONE_NEWUSER, setns, unshare
from windlass.linux.process import reset_internal_signals, set_dumpable, set_name
from windlass.linux.user_namespace import new_user_namespace

CONTROL_FD = 3


def main() -> None:
    """Serve until the daemon goes away."""
    set_name("windlass-zygote")
    # Nobody in a container that shares our pid namespace may look into our memory or descriptors.
    set_dumpable(False)
    # A terminal's Ctrl-C is for the daemon, which tells us by closing the socket.
    os.setsid()
    reset_internal_signals()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    control = socket.socket(fileno=CONTROL_FD)
    control.set_inheritable(False)
    gc.disable()
    gc.collect()
    gc.freeze()
    control.send(b"ready")
    while True:
        data, fds = wire.receive(control)
        if not data:
            os._exit(0)
        try:
            _serve(control, data, fds)
        finally:
            for fd in fds:
                os.close(fd)


def _serve(control: socket.socket, data: bytes, fds: list[int]) -> None:
    request = wire.zygote_decoder.decode(data)
    match request:
        case wire.Launch():
            _fork(control, lambda: supervisor.main(request, fds))
        case wire.MakeNetns():
            _fork(control, lambda: _make_netns(request, fds))
        case wire.RunJob():
            _fork(control, lambda: jobs.main(request, fds))


def _fork(control: socket.socket, child: Callable[[], None]) -> None:
    """Run `child` in a new process, which never returns into the zygote's loop (law 5)."""
    if os.fork():
        return
    status = 1
    try:
        # Held open in a child, it would hide the daemon's death from the zygote and the zygote's from the daemon.
        control.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        child()
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _make_netns(request: wire.MakeNetns, fds: list[int]) -> None:
    """Answer with a new network namespace and a route socket inside it, and the user namespace that owns it, if any.

    The socket is made here because the daemon has threads and must not enter the namespace.
    """
    answer = socket.socket(fileno=fds[0])
    try:
        owner = _enter_owner(request, fds[1:])
        unshare(CLONE_NEWNET)
        _without_ipv6()
        netns = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        wire.send(answer, wire.NetnsMade(), [netns, route.fileno(), *owner])
    except OSError as error:
        wire.send(answer, wire.ChildFailed(error=f"make network namespace: {error.strerror}"))


def _enter_owner(request: wire.MakeNetns, passed: list[int]) -> list[int]:
    """Become root of the user namespace that is to own the network: whose sysfs can be mounted there only then."""
    if request.uids:
        passed = [new_user_namespace(request.uids, request.gids)]
    for fd in passed:
        setns(fd, CLONE_NEWUSER)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    return passed


def _without_ipv6() -> None:
    """Interfaces to come get no link-local address: what has no IPv6 network has no IPv6 (CVE-2024-32473)."""
    try:
        fd = os.open("/proc/sys/net/ipv6/conf/default/disable_ipv6", os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.write(fd, b"1")
    finally:
        os.close(fd)


if __name__ == "__main__":
    main()
