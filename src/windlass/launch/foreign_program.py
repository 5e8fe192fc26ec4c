"""Running the commands of another OCI runtime, without waiting for them.

A runtime's program is the host's: it gets a small environment, three streams and nothing else of ours, and a bounded
time. It says why it failed in the last line of its log, as runc, crun, youki, runsc and kata-runtime do.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import msgspec

from windlass.launch.child import connect_streams
from windlass.launch.poller import READ, Poller
from windlass.linux.process import PR_SET_PDEATHSIG, prctl
from windlass.spec.task import ForeignRuntime

# What a runtime that starts a virtual machine may take; a hung one must not hold a container for ever.
TIMEOUT_S = 120.0
# Python ignores the first two, the supervisor the others: what is ignored stays so in the container.
_RESET_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
_LOG_TAIL_BYTES = 64 * 1024
_WORDS_MAX = 4096
_FATAL = ("error", "fatal", "panic")
_NOT_RUN = 127

# Called with why a command failed; empty when it did not.
Done = Callable[[str], None]


class _LogLine(msgspec.Struct, frozen=True):
    """One line of a runtime's JSON log."""

    level: str = ""
    msg: str = ""


_line_decoder = msgspec.json.Decoder(_LogLine)


class Program:
    """A runtime's program; `directory` is where its logs go and is gone with the container."""

    def __init__(self, poller: Poller, runtime: ForeignRuntime, directory: str) -> None:
        self._poller = poller
        self._runtime = runtime
        self._directory = directory
        self._number = 0
        self.running = 0

    def run(
        self,
        words: list[str],
        done: Done,
        stdio: tuple[int, int, int] | None = None,
        complaints: int = -1,
        stdin: int = -1,
    ) -> None:
        """Start `RUNTIME words...` and call `done` when it has ended.

        `stdio` are the streams to give it, with the reading end of its stderr as `complaints`; both stay the caller's.
        Without, it gets `stdin` or the null device, and its stderr is read here.

        Raises:
            OSError: it could not be forked.
        """
        self._number += 1
        log = f"{self._directory}/{self._number}.log"
        argv = [self._runtime.path, *self._runtime.args, "--root", self._runtime.state_root]
        argv += ["--log", log, "--log-format", "json", *words]
        own: list[int] = []
        try:
            if stdio is None:
                complaints, stderr = os.pipe2(os.O_CLOEXEC)
                null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
                own += [complaints, stderr, null]
                stdio = (stdin if stdin >= 0 else null, null, stderr)
            pid = _spawn(argv, stdio)
            os.set_blocking(complaints, False)
        except BaseException:
            _close(own)
            raise
        _close(own[1:])
        self.running += 1
        self._watch(pid, lambda status: self._ended(status, words[0], log, complaints, own[:1], done))

    def _watch(self, pid: int, ended: Callable[[int], None]) -> None:
        pidfd = os.pidfd_open(pid)
        timer = self._poller.after(TIMEOUT_S, lambda: _kill_group(pid))

        def ready(_events: int) -> None:
            self._poller.forget(pidfd)
            self._poller.cancel(timer)
            os.close(pidfd)
            ended(os.waitpid(pid, 0)[1])

        self._poller.watch(pidfd, READ, ready)

    def _ended(self, status: int, command: str, log: str, complaints: int, own: list[int], done: Done) -> None:
        self.running -= 1
        code = os.waitstatus_to_exitcode(status)
        error = ""
        if code:
            error = _last_error(log) or _last_words(complaints) or _ending(self._runtime.path, command, code)
        _close(own)
        try:
            os.unlink(log)
        except OSError:
            # It has logged nothing, or everything is being removed.
            pass
        done(error)


def _spawn(argv: list[str], stdio: tuple[int, int, int]) -> int:
    """Fork and exec. Everything beside `stdio` is close-on-exec."""
    pid = os.fork()
    if pid:
        return pid
    try:
        connect_streams(*stdio)
        os.setsid()
        for number in _RESET_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        # A half-made container of a dead supervisor is found by its bundle; a runtime that goes on making it is not.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.execve(argv[0], argv, _environment())
    except OSError as error:
        os.write(2, f"fork/exec {argv[0]}: {os.strerror(error.errno or 0).lower()}".encode())
    finally:
        os._exit(_NOT_RUN)


def _kill_group(pid: int) -> None:
    """End a command and what it has started; the container's own process is in another session."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _environment() -> dict[str, str]:
    return {key: os.environ[key] for key in ("PATH", "LANG", "TZ") if key in os.environ}


def _last_error(log: str) -> str:
    """Return the last message of a JSON log: the last error if there is one."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_TAIL_BYTES))
            lines = file.read(_LOG_TAIL_BYTES).splitlines()
    except OSError:
        return ""
    last = ""
    for line in lines:
        try:
            entry = _line_decoder.decode(line)
        except msgspec.DecodeError:
            continue
        if entry.level.lower() in _FATAL:
            last = entry.msg or last
    return last[:_WORDS_MAX].strip()


def _last_words(fd: int) -> str:
    """Return the last line of what a pipe holds."""
    try:
        data = os.read(fd, _LOG_TAIL_BYTES)
    except OSError:
        return ""
    lines = data.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:_WORDS_MAX] if lines else ""


def _ending(path: str, command: str, code: int) -> str:
    if code == -signal.SIGKILL:
        return f"{path} {command} was killed (it may take {TIMEOUT_S:.0f} seconds)"
    return f"{path} {command} exited with status {code}"


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
