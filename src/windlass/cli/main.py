"""Entry of the `windlass` command: global flags, the verb, and the exit code."""

from __future__ import annotations

import os
import sys

from windlass.cli.commands import VERBS, load, resolve
from windlass.cli.context import STDERR, STDOUT, Context, write_all
from windlass.cli.errors import EXIT_ENGINE, EXIT_FAILURE, CliError, Quit, UsageError, with_help
from windlass.cli.flags import HelpRequested, Values, listing, parse_flags, switch, text
from windlass.client.errors import CannotConnect, ClientError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.command import Command

EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal", "panic", "trace")

GLOBAL_FLAGS = (
    text("config", "Location of client config files"),
    text("context", "Name of the context to use to connect to the daemon", "c"),
    switch("debug", "Enable debug mode", "D"),
    listing("host", "Daemon socket to connect to", "H"),
    text("log-level", 'Set the logging level ("debug", "info", "warn", "error", "fatal")', "l", default="info"),
    switch("tls", "Use TLS; implied by --tlsverify"),
    text("tlscacert", "Trust certs signed only by this CA"),
    text("tlscert", "Path to TLS certificate file"),
    text("tlskey", "Path to TLS key file"),
    switch("tlsverify", "Use TLS and verify the remote"),
    switch("version", "Print version information and quit", "v"),
)


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    status = run(sys.argv[1:])
    # Nothing is left to clean up, and tearing the interpreter down would cost as much as a round trip to the engine.
    os._exit(status)


def run(words: list[str]) -> int:
    """Run one command line, without the program's name, and return its exit code."""
    try:
        return _run(words)
    except Quit as end:
        return end.status
    except CliError as error:
        _say(error.message + "\n")
        return error.status
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_BROKEN_PIPE
    except OSError as error:
        _say(f"windlass: {error}\n")
        return EXIT_FAILURE


def _run(words: list[str]) -> int:
    try:
        values, rest = parse_flags(GLOBAL_FLAGS, words, interspersed=False)
    except HelpRequested:
        return _show_help("", "windlass")
    except UsageError as error:
        raise CliError(_usage(error, "windlass", "[OPTIONS] COMMAND [ARG...]"), error.status) from None
    if values.on("version"):
        from windlass import __version__

        write_all(STDOUT, f"Windlass version {__version__}\n".encode())
        return 0
    if values.text("log-level") not in LOG_LEVELS:
        raise CliError(f"Unable to parse logging level: {values.text('log-level')}")
    if rest[:1] == ["help"]:
        return _help_about(rest[1:])
    canonical, reached, rest = resolve(rest)
    if canonical not in VERBS:
        return _no_verb(canonical, rest)
    return _run_verb(load(canonical), canonical, f"windlass {reached}", values, rest)


def _run_verb(command: Command, canonical: str, path: str, options: Values, words: list[str]) -> int:
    try:
        values, arguments = Values(command.flags), words
        if not command.passes_flags:
            values, arguments = parse_flags(command.flags, words, interspersed=command.interspersed)
        command.check_arguments(path, arguments)
    except HelpRequested:
        return _show_help(canonical, path)
    except UsageError as error:
        raise CliError(_usage(error, path, command.usage), error.status) from None
    from windlass.cli.host import choose_host

    config_dir = options.text("config") or os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    host = choose_host(options, os.environ, config_dir, resolve=command.needs_engine)
    context = Context(host, config_dir, path, options.on("debug"))
    try:
        return command.run(context, values, arguments)
    except UsageError as error:
        raise CliError(_usage(error, path, command.usage), error.status) from None
    except ClientError as error:
        raise CliError(_failure(command, path, error), command.engine_status) from None


def _failure(command: Command, path: str, error: ClientError) -> str:
    message = str(error)
    if isinstance(error, CannotConnect):
        from windlass.cli.host import hint

        message += "\n" + hint(error).rstrip("\n")
    return with_help(message, path) if command.engine_status == EXIT_ENGINE else message


def _usage(error: UsageError, path: str, usage: str) -> str:
    usage = usage.replace("\n", f"\n\t{path} ")
    return f"{error.message}\n\nUsage:  {path} {usage}\n\n{error.hint} '{path} --help' for more information"


def _no_verb(group: str, rest: list[str]) -> int:
    if not rest or rest[0] in ("--help", "-h"):
        return _show_help(group, f"windlass {group}".rstrip())
    path = f"windlass {group}".rstrip()
    usage = f"Usage:  {path}\n\n" if group else ""
    if rest[0].startswith("-"):
        _say(f"unknown flag: {rest[0]}\n\n{usage}Run '{path} --help' for more information\n")
        return EXIT_ENGINE
    _say(f"windlass: unknown command: {path} {rest[0]}\n\n{usage}Run '{path} --help' for more information\n")
    return EXIT_FAILURE


def _help_about(words: list[str]) -> int:
    canonical, reached, rest = resolve(words)
    if rest or (words and not canonical):
        raise CliError(f"unknown help topic: {' '.join(rest if canonical else words)}")
    return _show_help(canonical, f"windlass {reached}".rstrip())


def _show_help(canonical: str, path: str) -> int:
    from windlass.cli.help import help_text

    write_all(STDOUT, help_text(canonical, path, GLOBAL_FLAGS).encode())
    return 0


def _say(message: str) -> None:
    write_all(STDERR, message.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
