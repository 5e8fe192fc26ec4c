"""Whole files and streams to and from the engine."""

from __future__ import annotations

import os

from windlass.cli.context import STDOUT, write_all
from windlass.cli.create.files import go_error, open_input
from windlass.cli.errors import CliError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

READ_BYTES = 1024 * 1024


def file_pieces(path: str) -> Iterator[bytes]:
    """Yield a file piece by piece, `-` being stdin; raises CliError at once when it cannot be opened."""
    return _pieces(0 if path == "-" else open_input(path))


def _pieces(fd: int) -> Iterator[bytes]:
    try:
        while piece := os.read(fd, READ_BYTES):
            yield piece
    finally:
        if fd:
            os.close(fd)


def check_output(path: str, action: str) -> None:
    """Raise CliError when the output would be a terminal, or a path whose directory is missing."""
    if not path and os.isatty(STDOUT):
        raise CliError(f"cowardly refusing to {action} to a terminal. Use the -o flag or redirect")
    if path:
        directory = os.path.dirname(path) or "."
        if not os.path.isdir(directory):
            problem = f'invalid output path: directory "{directory}" does not exist'
            raise CliError(f"failed to {action} image: {problem}" if action == "save" else problem)


def write_output(chunks: Iterable[bytes], path: str) -> None:
    """Write everything to stdout, or to a file that appears complete or not at all; raises CliError."""
    if not path:
        for chunk in chunks:
            write_all(STDOUT, chunk)
        return
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb", buffering=0) as device:
            for chunk in chunks:
                write_all(device.fileno(), chunk)
        return
    temporary = f"{path}.tmp-{os.getpid()}"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None
    try:
        for chunk in chunks:
            write_all(fd, chunk)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(fd)
