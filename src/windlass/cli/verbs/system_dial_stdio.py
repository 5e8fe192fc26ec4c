"""`system dial-stdio`: our stdin and stdout are a connection to the engine; the far end of `-H ssh://`."""

from __future__ import annotations

import _thread
import os

from windlass.cli.command import Command, none
from windlass.cli.context import STDIN, STDOUT, write_all
from windlass.cli.host import start_if_absent
from windlass.cli.session import SHUT_WR, received

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from windlass.cli.context import Context
    from windlass.cli.flags import Values
    from windlass.client.tls import TlsStream

READ_BYTES = 64 * 1024


def run(context: Context, _values: Values, _arguments: list[str]) -> int:
    """Copy both ways until the engine closes; the end of our stdin is passed on."""
    if not context.host.explicit:
        start_if_absent(context.host.endpoint)
    connection = context.host.endpoint.connect()
    _thread.start_new_thread(_copy_input, (connection,))
    for piece in received(connection, b""):
        write_all(STDOUT, piece)
    return 0


def _copy_input(connection: _socket.socket | TlsStream) -> None:
    try:
        while data := os.read(STDIN, READ_BYTES):
            connection.sendall(data)
        connection.shutdown(SHUT_WR)
    except OSError:
        return  # the engine is gone: the copying of its answers ends the command


COMMAND = Command("", run, rule=none, about="Connect stdin and stdout to the engine; used at the far end of -H ssh://")
