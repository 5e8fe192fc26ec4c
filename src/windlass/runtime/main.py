"""`windlass-runtime`: the OCI runtime command line.

What is here: `run`, `spec` and `features`. They need no daemon and share everything below the engine with it: a
bundle's configuration enters at the second lowering.

Source: runtime-spec runtime.md and features.md; the command line of runc(8).
"""

from __future__ import annotations

import os
import sys

from windlass import __version__
from windlass.base.errors import InvalidParameter, WindlassError
from windlass.spec.runtime import OCI_VERSION

_USAGE = """\
Usage: windlass-runtime [--root DIR] COMMAND [ARGUMENTS]

An OCI runtime without a daemon.

Commands:
  run [--bundle DIR] [--pid-file FILE] CONTAINER-ID   create and run a container from a bundle, and wait for its end
  spec [--bundle DIR]                                 write a default config.json
  features                                            print what is supported, as JSON

Options:
  --root DIR      directory for state (default "/run/windlass/runtime")
  -v, --version   print the version
  -h, --help      print this text

Examples:
  mkdir -p bundle/rootfs && tar -C bundle/rootfs -xf rootfs.tar
  cd bundle && windlass-runtime spec && windlass-runtime run demo
"""


def main() -> None:
    """Run the command of `sys.argv` and exit with its code: the container's, or 1."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run one command; errors are one line on stderr."""
    try:
        return _run(argv)
    except WindlassError as error:
        print(f"windlass-runtime: {error.message}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"windlass-runtime: {error}", file=sys.stderr)
        return 1


def _run(argv: list[str]) -> int:
    options, rest = _parse(argv, {"--root": "/run/windlass/runtime"})
    if "--version" in options:
        print(f"windlass-runtime version {__version__}\nspec: {OCI_VERSION}")
        return 0
    if "--help" in options or not rest:
        print(_USAGE, end="")
        return 0 if "--help" in options else 1
    command, *arguments = rest
    match command:
        case "run":
            return _command_run(arguments)
        case "spec":
            return _command_spec(arguments)
        case "features":
            from windlass.runtime.oci.features import features_json

            print(features_json())
            return 0
    raise InvalidParameter(f'unknown command "{command}"; see windlass-runtime --help')


def _command_run(argv: list[str]) -> int:
    from windlass.runtime.sealed import become_sealed

    become_sealed("windlass.runtime.main")
    from windlass.runtime.oci.run import run_bundle

    options, names = _parse(argv, {"--bundle": os.getcwd(), "--pid-file": ""})
    if len(names) != 1:
        raise InvalidParameter("run wants exactly one container id")
    return run_bundle(options["--bundle"], names[0], options["--pid-file"])


def _command_spec(argv: list[str]) -> int:
    from windlass.runtime.oci.bundle import write_default

    options, names = _parse(argv, {"--bundle": os.getcwd()})
    if names:
        raise InvalidParameter("spec wants no arguments")
    write_default(options["--bundle"])
    return 0


_SHORT = {"-b": "--bundle", "-v": "--version", "-h": "--help"}
_SWITCHES = frozenset({"--version", "--help"})


def _parse(argv: list[str], known: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Split leading options from the rest."""
    options = dict(known)
    words = list(argv)
    while words and words[0].startswith("-"):
        word, separator, value = words.pop(0).partition("=")
        word = _SHORT.get(word, word)
        if word in _SWITCHES:
            options[word] = "true"
            continue
        if word not in known:
            raise InvalidParameter(f"unknown option {word}; see windlass-runtime --help")
        if not separator:
            if not words:
                raise InvalidParameter(f"option {word} needs an argument")
            value = words.pop(0)
        options[word] = value
    return options, words


if __name__ == "__main__":
    main()
