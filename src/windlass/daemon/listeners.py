"""The sockets that the daemon listens on.

Source: dockerd's `--host`; sd_listen_fds(3).
"""

from __future__ import annotations

import grp
import ipaddress
import os
import socket
import stat

from windlass.base.errors import Conflict, InvalidParameter

_FIRST_PASSED_FD = 3
_BACKLOG = 1024


def open_listeners(hosts: tuple[str, ...], group: str) -> list[socket.socket]:
    """Open a listening socket for each of `hosts` (`unix://PATH`, `tcp://ADDRESS:PORT`, `fd://`).

    Raises:
        InvalidParameter: not an address, or a TCP address that everybody could reach without a password.
        Conflict: somebody listens there already.
    """
    listeners: list[socket.socket] = []
    try:
        for host in hosts:
            scheme, separator, rest = host.partition("://")
            if not separator:
                scheme, rest = ("unix", host) if host.startswith("/") else ("tcp", host)
            match scheme:
                case "unix":
                    listeners.append(_listen_unix(rest, group))
                case "tcp":
                    listeners.append(_listen_tcp(rest))
                case "fd":
                    listeners.extend(_passed_sockets())
                case _:
                    raise InvalidParameter(f"invalid bind address format: {host}")
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def remove_sockets(hosts: tuple[str, ...]) -> None:
    """Remove the unix sockets that `open_listeners` made; a service manager's are its own."""
    for host in hosts:
        path = host.removeprefix("unix://")
        if path.startswith("/"):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue


def _listen_unix(path: str, group: str) -> socket.socket:
    """Listen on a path that root and one group may open; a socket that nobody serves is replaced."""
    os.makedirs(os.path.dirname(path), 0o711, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_dead_socket(path)
        mask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(mask)
        os.chown(path, 0 if os.geteuid() == 0 else -1, _group_id(group))
        os.chmod(path, 0o660)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_dead_socket(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Conflict(f"can't create unix socket {path}: a file of that name exists")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise Conflict(f"can't create unix socket {path}: a daemon listens on it")


def _group_id(group: str) -> int:
    """Return the group's id, or -1 (leave it) when the host has no such group."""
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return -1


def _listen_tcp(address: str) -> socket.socket:
    """Listen on loopback only: who reaches the API is root on this host, and TCP asks nobody who they are."""
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal():
        raise InvalidParameter(f"invalid bind address format: tcp://{address}")
    host = host.strip("[]") or "127.0.0.1"
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise InvalidParameter(f"invalid bind address format: tcp://{address}") from None
    if not loopback:
        raise InvalidParameter(
            f"refusing to listen on tcp://{address}: the API without TLS gives root to everybody who reaches it; "
            "listen on 127.0.0.1, or on a unix socket behind ssh"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host if host != "localhost" else "127.0.0.1", int(port)))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Conflict(f"listen tcp {address}: bind: {os.strerror(error.errno or 0).lower()}") from None
    return listener


def _passed_sockets() -> list[socket.socket]:
    """Take the sockets of systemd's socket activation."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise InvalidParameter("no sockets found via socket activation: make sure the service was started by systemd")
    count = int(os.environ.get("LISTEN_FDS", "0"))
    sockets = []
    for number in range(_FIRST_PASSED_FD, _FIRST_PASSED_FD + count):
        os.set_inheritable(number, False)
        sockets.append(socket.socket(fileno=number))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return sockets
