"""How a command ends when it does not end well.

    CliError                status 1 and a message
    ├── UsageError          the words on the line are wrong; the usage line follows
    └── Quit                end with this status and say nothing more

Source: https://docs.docker.com/engine/containers/run/#exit-status (125 the engine or the command line, 126 cannot be
invoked, 127 not found).
"""

from __future__ import annotations

EXIT_FAILURE = 1
EXIT_TEMPLATE = 64
EXIT_ENGINE = 125
EXIT_CANNOT_INVOKE = 126
EXIT_NOT_FOUND = 127


class CliError(Exception):
    """A failure to show: `message` goes to stderr and `status` is the exit code."""

    def __init__(self, message: str, status: int = EXIT_FAILURE) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class UsageError(CliError):
    """A wrong word on the command line; shown with the command's usage line and `hint` at the help."""

    def __init__(self, message: str, status: int = EXIT_FAILURE, hint: str = "Run") -> None:
        super().__init__(message, status)
        self.hint = hint


class Quit(Exception):
    """End the command now with `status`; everything there was to say has been said."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def with_help(message: str, path: str) -> str:
    """Return an error of `run` and `create` as Docker words it: the program first, a pointer to the help after."""
    return f"windlass: {message}\n\nRun '{path} --help' for more information"
