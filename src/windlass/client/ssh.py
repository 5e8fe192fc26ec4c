"""`ssh://[user@]host[:port][/path of a socket]`: an engine behind a login, its API over the session's two pipes."""

from __future__ import annotations

import _socket
import os

from windlass.client.endpoint import Endpoint
from windlass.client.errors import BadEndpoint, CannotConnect
from windlass.client.wire import quote

# Whichever of the two command lines the other host has speaks for its engine.
_REMOTE = (
    "sh -c 'if command -v windlass >/dev/null 2>&1; then exec windlass{host} system dial-stdio; "
    "else exec docker{host} system dial-stdio; fi'"
)
_NAME_CHARACTERS = "._-:%+@"
_PATH_CHARACTERS = "/._-+@,:=%"


class SshEndpoint(Endpoint):
    """An engine reached by running ssh; every connection is a session of its own."""

    __slots__ = ("command",)

    def __init__(self, text: str, command: list[str]) -> None:
        super().__init__(text, ("docker.example.com", 0))
        self.host_header = "docker.example.com"
        self.command = command

    def connect(self) -> _socket.socket:
        """Start ssh and return our end of the pair of sockets that are its stdin and stdout; raises CannotConnect.

        It runs in a session of its own, so that a Ctrl-C meant for us leaves it alone.
        """
        ours, theirs = _socket.socketpair()
        fd = theirs.fileno()
        try:
            os.posix_spawnp(
                self.command[0],
                self.command,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, 0), (os.POSIX_SPAWN_DUP2, fd, 1)],
                setsid=True,
            )
        except OSError as error:
            ours.close()
            raise CannotConnect(self.text, error) from None
        finally:
            theirs.close()
        return ours


def parse_ssh(text: str) -> SshEndpoint:
    """Parse the address; raises BadEndpoint.

    No part of it can become an option of ssh or a word for the shell at the other end.
    """
    rest = text.partition("://")[2]
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if ":" in user:
        raise _bad(text, "plain-text password is not supported")
    if "?" in rest or "#" in rest:
        raise _bad(text, "extra query or fragment")
    host, port = _split_port(host, text)
    if not host or host.startswith("-") or user.startswith("-") or (at and not user):
        raise _bad(text, "no host specified" if not host else "malformed host")
    # ssh may hand both to a shell, as %h and %r of a ProxyCommand (CVE-2023-51385).
    if not all(c.isalnum() or c in _NAME_CHARACTERS for c in user + host):
        raise _bad(text, "malformed host")
    command = ["ssh", "-o", "ConnectTimeout=30", "-T"]
    command += ["-l", user] if user else []
    command += ["-p", port] if port else []
    socket_path = f"/{path}" if slash and path else ""
    if socket_path and not all(c.isalnum() or c in _PATH_CHARACTERS for c in socket_path):
        raise _bad(text, "malformed path")
    remote = _REMOTE.format(host=f" -H unix://{socket_path}" if socket_path else "")
    return SshEndpoint(f"ssh://{quote(rest, safe='@:/[].-_')}", [*command, "--", host, remote])


def _split_port(place: str, text: str) -> tuple[str, str]:
    host, port = place, ""
    if place.startswith("["):
        host, _, tail = place[1:].partition("]")
        port = tail.removeprefix(":")
    elif ":" in place:
        host, _, port = place.rpartition(":")
    if port and not (port.isdecimal() and int(port) < 65536):
        raise _bad(text, "malformed port")
    return host, port


def _bad(text: str, reason: str) -> BadEndpoint:
    return BadEndpoint(f"unable to resolve docker endpoint: invalid ssh URL {text!r}: {reason}")
