"""`windlassd`: read the configuration, open the engine, serve until told to stop.

Containers are never stopped by the daemon's end: the next one takes them back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys

from windlass import __version__
from windlass.base import logging as log
from windlass.base.errors import WindlassError
from windlass.daemon.configuration import Configuration, load, parse_flags
from windlass.daemon.options import usage
from windlass.daemon.pid_file import PidFile
from windlass.daemon.readiness import answer_parent

_log = logging.getLogger("windlass.daemon")
_WANTED_FILES = 1 << 20
# One arena for all threads: an idle daemon keeps tens of megabytes less. Source: mallopt(3).
_ARENAS = 2


def main() -> None:
    """Run the daemon with the flags of `sys.argv`; exits 0 after a graceful end, 1 on failure, 125 on bad flags."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run the daemon with `argv` and return its exit code."""
    try:
        flags = parse_flags(argv)
    except WindlassError as error:
        print(error.message, file=sys.stderr)
        return 125
    if flags.get("help"):
        print(usage(), end="")
        return 0
    if flags.get("version"):
        print(f"Windlass version {__version__}")
        return 0
    try:
        configuration = load(argv)
    except WindlassError as error:
        return _failed(error.message)
    if configuration.switch("validate"):
        return _validated(configuration)
    log.configure(configuration.log_level, configuration.text("log-format"))
    return _run_locked(configuration, argv)


def _validated(configuration: Configuration) -> int:
    """Look at the files of TLS too, which a start needs."""
    from windlass.daemon.tls import tcp_policy

    try:
        tcp_policy(configuration)
    except WindlassError as error:
        return _failed(error.message)
    print("configuration OK")
    return 0


def _run_locked(configuration: Configuration, argv: list[str]) -> int:
    from windlass.host import first_blocker

    if blocker := first_blocker(configuration.text("data-root")):
        return _failed(blocker)
    _prepare_process()
    pid_file = PidFile(configuration.pidfile)
    try:
        pid_file.acquire()
        asyncio.run(_serve(configuration, argv))
    except WindlassError as error:
        return _failed(error.message)
    except OSError as error:
        return _failed(f"failed to start daemon: {error}")
    finally:
        pid_file.release()
    return 0


def _failed(message: str) -> int:
    answer_parent(f"error: {message}".replace("\n", " "))
    print(message, file=sys.stderr)
    return 1


def _prepare_process() -> None:
    """Descriptors for many containers, private files, little memory."""
    from windlass.linux.process import limit_malloc_arenas

    limit_malloc_arenas(_ARENAS)
    os.umask(0o022)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (_WANTED_FILES, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            break
        except (ValueError, OSError):
            # Without CAP_SYS_RESOURCE the hard limit stays; `windlass doctor` says what that costs.
            continue


async def _serve(configuration: Configuration, argv: list[str]) -> None:
    """Open the engine and the listeners, say so, and wait for the signal to stop."""
    from windlass.daemon.serving import serve

    stop = asyncio.Event()
    reload = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    loop.add_signal_handler(signal.SIGUSR1, _dump_tasks)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    await serve(configuration, argv, stop, reload)


def _dump_tasks() -> None:
    """Write where every task stands to the log, as dockerd does on this signal."""
    for task in asyncio.all_tasks():
        frames = task.get_stack(limit=3)
        where = " < ".join(f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in reversed(frames))
        log.event(_log, logging.INFO, "task", name=task.get_name(), where=where)


if __name__ == "__main__":
    main()
