"""Signals by number: what `signal` wraps, without the enumerations that take it three milliseconds to import."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIG_DFL: int = _signal.SIG_DFL
SIG_IGN: int = _signal.SIG_IGN

SIGHUP: int = _signal.SIGHUP
SIGINT: int = _signal.SIGINT
SIGQUIT: int = _signal.SIGQUIT
SIGILL: int = _signal.SIGILL
SIGTRAP: int = _signal.SIGTRAP
SIGABRT: int = _signal.SIGABRT
SIGBUS: int = _signal.SIGBUS
SIGFPE: int = _signal.SIGFPE
SIGKILL: int = _signal.SIGKILL
SIGUSR1: int = _signal.SIGUSR1
SIGSEGV: int = _signal.SIGSEGV
SIGUSR2: int = _signal.SIGUSR2
SIGPIPE: int = _signal.SIGPIPE
SIGTERM: int = _signal.SIGTERM
SIGCHLD: int = _signal.SIGCHLD
SIGCONT: int = _signal.SIGCONT
SIGTSTP: int = _signal.SIGTSTP
SIGTTIN: int = _signal.SIGTTIN
SIGTTOU: int = _signal.SIGTTOU
SIGXFSZ: int = _signal.SIGXFSZ
SIGWINCH: int = _signal.SIGWINCH
SIGSYS: int = _signal.SIGSYS

LAST_SIGNAL: int = _signal.NSIG - 1


def handle(number: int, handler: int | Callable[[int, object], None]) -> None:
    """Have `handler` called on a signal, or SIG_DFL or SIG_IGN. Source: sigaction(2)."""
    _signal.signal(number, handler)


def set_blocked(numbers: Iterable[int]) -> None:
    """Block these signals and no others. Source: sigprocmask(2)."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, numbers)


def all_signals() -> set[int]:
    """Return every number that can be sent."""
    return set(_signal.valid_signals())


def wait(numbers: Iterable[int]) -> int:
    """Wait for one of these signals, which are blocked. Source: sigwait(3)."""
    return int(_signal.sigwait(numbers))


def send(pidfd: int, number: int) -> None:
    """Send a signal to the process behind a descriptor. Source: pidfd_send_signal(2)."""
    _signal.pidfd_send_signal(pidfd, number)


def describe(number: int) -> str:
    """Say a signal in words; empty when there is none of that number."""
    return _signal.strsignal(number) or ""


def by_name(name: str) -> int:
    """Return the number of `KILL`, 0 when there is no such name."""
    found = getattr(_signal, f"SIG{name}", 0)
    return found if isinstance(found, int) and not name.startswith("_") else 0
