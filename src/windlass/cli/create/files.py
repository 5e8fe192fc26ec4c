"""Files the user names on the command line, and errors about them in Go's words."""

from __future__ import annotations

import os

from windlass.cli.errors import CliError


def go_error(action: str, path: str, error: OSError) -> str:
    """Return an operating-system error as Go words it: `open /x: no such file or directory`."""
    reason = error.strerror or str(error)
    return f"{action} {path}: {reason[:1].lower()}{reason[1:]}"


def read_text(path: str) -> str:
    """Return a file's text, `-` being stdin; raises CliError."""
    try:
        with open(0 if path == "-" else path, encoding="utf-8", errors="surrogateescape", closefd=path != "-") as file:
            return file.read()
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None


def open_input(path: str) -> int:
    """Return a file descriptor open for reading; raises CliError."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CliError(go_error("open", path, error)) from None
