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
from windlass.daemon.options import DEFAULT_GROUP

_FIRST_PASSED_FD = 3
_BACKLOG = 1024
_MAX_PORT = 65535


def open_listeners(hosts: tuple[str, ...], group: str, *, anywhere: bool = False) -> list[socket.socket]:
    """Open a listening socket for each of `hosts` (`unix://PATH`, `tcp://ADDRESS:PORT`, `fd://`).

    `anywhere` allows TCP addresses that other hosts reach.

    Raises:
        InvalidParameter: not an address, no such group, or an address that everybody could reach without a password.
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
                    listeners.append(_listen_tcp(rest, anywhere=anywhere))
                case "fd":
                    listeners.extend(_passed_sockets(anywhere=anywhere))
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
        os.chown(path, 0 if os.geteuid() == 0 else -1, _group_id(path, group))
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


def _group_id(path: str, group: str) -> int:
    """Return the group's id; -1 (leave it) without one, or when the host lacks the group of the default."""
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid if group else -1
    except KeyError:
        if group == DEFAULT_GROUP:
            return -1
        raise InvalidParameter(f"can't create unix socket {path}: group {group} not found") from None


def _check_reach(address: str, host: str, *, anywhere: bool) -> None:
    """Who reaches the API is root on this host, and plain TCP asks nobody who they are.

    Raises:
        InvalidParameter: not an address, or one that only loopback should be.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise InvalidParameter(f"invalid bind address format: tcp://{address}") from None
    if not loopback and not anywhere:
        raise InvalidParameter(
            f"refusing to listen on tcp://{address}: Binding to IP address without --tlsverify is insecure and gives "
            "root access on this machine to everyone who has access to your network; give --tlsverify with "
            "--tlscacert, --tlscert and --tlskey, listen on 127.0.0.1 or on a unix socket behind ssh, or say "
            "--tls=false (with --tls: --tlsverify=false) if that is what you want"
        )


def _listen_tcp(address: str, *, anywhere: bool) -> socket.socket:
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdecimal() or int(port) > _MAX_PORT:
        raise InvalidParameter(f"invalid bind address format: tcp://{address}")
    host = host.strip("[]") or "127.0.0.1"
    _check_reach(address, host, anywhere=anywhere)
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


def _passed_sockets(*, anywhere: bool) -> list[socket.socket]:
    """Take the sockets of systemd's socket activation; what is true of our own TCP sockets is true of these."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        raise InvalidParameter("no sockets found via socket activation: make sure the service was started by systemd")
    count = int(os.environ.get("LISTEN_FDS", "0"))
    sockets = []
    for number in range(_FIRST_PASSED_FD, _FIRST_PASSED_FD + count):
        os.set_inheritable(number, False)
        sockets.append(socket.socket(fileno=number))
    for passed in sockets:
        if passed.family != socket.AF_UNIX:
            host, port = passed.getsockname()[:2]
            _check_reach(f"{host}:{port}", host, anywhere=anywhere)
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    return sockets
