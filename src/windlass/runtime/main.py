"""`windlass-runtime`: the OCI runtime command line.

Each command is a process that lives for milliseconds and leaves its knowledge in one directory; there is no daemon. It
shares everything below the engine with it: a bundle's configuration enters at the second lowering.

Nothing is imported here before it is known to be needed, and msgspec never (`windlass.base.cold`).

Source: runtime-spec runtime.md and features.md; the command lines of runc(8) and crun(1).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.runtime.oci.arguments import Values
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.early import Started
    from windlass.runtime.oci.log import Log
    from windlass.runtime.oci.process import Interpreter

_NAME = "windlass-runtime"
_EXIT_FAILURE = 1
_EXIT_EXEC_FAILURE = 255


def main() -> None:
    """Run the command of `sys.argv` and exit with its code: the container's, or 1 (255 for an exec that failed)."""
    from windlass.runtime.oci.early import start_early

    started = start_early(sys.argv[1:])
    import gc
    import os

    import windlass.base.cold  # noqa: F401  (before others, so that value types do without msgspec)

    # What lives for milliseconds leaves no garbage that is worth looking for.
    gc.disable()
    status = run(sys.argv[1:], started)
    sys.stdout.flush()
    # Nothing is left to clean up, and tearing the interpreter down takes a millisecond.
    os._exit(status)


def run(argv: list[str], started: Started | None = None) -> int:
    """Run one command; an error is one line on standard error, and in the log that was asked for."""
    import os

    from windlass.base.errors import WindlassError
    from windlass.runtime.oci.log import Log
    from windlass.runtime.oci.process import Interpreter

    log = Log()
    status = _EXIT_FAILURE
    interpreter = Interpreter(started) if started is not None else None
    try:
        shared, words = _global_options(argv)
        if shared.on("version"):
            return _version()
        if shared.on("help") or not words:
            return _help(failed=not words and not shared.on("help"))
        log = Log(shared.text("log"), shared.text("log-format"), debug=shared.on("debug"))
        status = _EXIT_EXEC_FAILURE if words[0] == "exec" else _EXIT_FAILURE
        return _command(shared, words[0], words[1:], log, interpreter)
    except WindlassError as error:
        log.error(error.message)
    except OSError as error:
        log.error(f"{error.strerror or error}" + (f": {os.fsdecode(error.filename)}" if error.filename else ""))
    except KeyboardInterrupt:
        log.error("interrupted")
    finally:
        if interpreter is not None:
            interpreter.end()
    return status


def _global_options(argv: list[str]) -> tuple[Values, list[str]]:
    from windlass.runtime.oci.arguments import parse
    from windlass.runtime.oci.commands import GLOBAL_OPTIONS

    return parse(GLOBAL_OPTIONS, argv, interspersed=False)


def _command(shared: Values, name: str, words: list[str], log: Log, interpreter: Interpreter | None) -> int:
    from windlass.base.errors import InvalidParameter
    from windlass.runtime.oci.arguments import parse
    from windlass.runtime.oci.call import Call
    from windlass.runtime.oci.commands import COMMANDS, command_options
    from windlass.runtime.oci.early import LAUNCHING

    command = COMMANDS.get(name)
    if command is None:
        raise InvalidParameter(f'unknown command "{name}"; see {_NAME} --help')
    options = command_options(command)
    values, rest = parse(options, words, interspersed=command.interspersed)
    if values.on("help"):
        from windlass.runtime.oci.arguments import option_lines

        print(f"Usage: {_NAME} {name} [OPTIONS] {command.usage}\n\n{command.text}\n\n{option_lines(options)}", end="")
        return 0
    call = Call(name, shared, values, rest, log)
    if name not in LAUNCHING:
        return _function(command.function)(call)
    call.interpreter = interpreter
    return _launching(call, command.function)


def _launching(call: Call, function: str) -> int:
    from windlass.runtime.oci.early import Started
    from windlass.runtime.oci.process import Interpreter, check_preserved

    check_preserved(call.values.number("preserve-fds"))
    if call.interpreter is not None:
        return _function(function)(call)
    call.interpreter = Interpreter(Started())
    try:
        return _function(function)(call)
    finally:
        call.interpreter.end()


def _function(name: str) -> Callable[[Call], int]:
    from importlib import import_module

    module, _, function = name.partition(":")
    found: Callable[[Call], int] = getattr(import_module(f"windlass.runtime.oci.{module}"), function)
    return found


def _version() -> int:
    from windlass import __version__
    from windlass.spec.runtime import OCI_VERSION

    print(f"{_NAME} version {__version__}\nspec: {OCI_VERSION}")
    return 0


def _help(*, failed: bool) -> int:
    from windlass.runtime.oci.arguments import option_lines
    from windlass.runtime.oci.commands import COMMANDS, GLOBAL_OPTIONS

    lines = "".join(f"  {name:<11} {command.text}\n" for name, command in COMMANDS.items())
    print(
        f"Usage: {_NAME} [OPTIONS] COMMAND [ARGUMENTS]\n\nAn OCI runtime without a daemon.\n\n"
        f"Commands:\n{lines}\nOptions:\n{option_lines(GLOBAL_OPTIONS)}\n"
        "Example:\n  mkdir -p bundle/rootfs && tar -C bundle/rootfs -xf rootfs.tar\n"
        f"  cd bundle && {_NAME} spec && {_NAME} run demo\n",
        end="",
    )
    return _EXIT_FAILURE if failed else 0


if __name__ == "__main__":
    main()
