"""The container's init (`docker run --init`): it passes signals on, reaps, and ends as its child ends.

What stays is this interpreter, with the identity, capabilities, filter and control group of the container's process,
without descriptors, and not dumpable: the last step before the exec. The child reports a failing exec as ever.
"""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext
from windlass.linux import signals
from windlass.linux.process import (
    PR_SET_PDEATHSIG,
    become_subreaper,
    close_all,
    overwrite_command_line,
    prctl,
    set_name,
)
from windlass.spec import plan as ops

_SIGNALLED = 128
# A fault in ourselves must end us, and what a terminal tells a background process is not for the child.
_NOT_PASSED_ON = frozenset(
    {
        signals.SIGFPE,
        signals.SIGILL,
        signals.SIGSEGV,
        signals.SIGBUS,
        signals.SIGABRT,
        signals.SIGTRAP,
        signals.SIGSYS,
        signals.SIGTTIN,
        signals.SIGTTOU,
    }
)


def become_init(_ctx: InitContext, _op: ops.BecomeInit) -> None:
    """Go on in a child; the parent never returns."""
    # Where processes are shared with the host or another container, orphans come to us only when asked for.
    become_subreaper()
    waited = signals.all_signals() - _NOT_PASSED_ON
    # Before the fork: what comes early is not lost.
    signals.set_blocked(waited)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _lead_foreground()
        signals.set_blocked(())
        # Where no pid namespace ends with its init.
        prctl(PR_SET_PDEATHSIG, signals.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return
    try:
        _reap(pid, waited)
    finally:
        os._exit(1)


def _lead_foreground() -> None:
    """Take the terminal, if there is one: its keys are for the program, as without an init."""
    os.setpgid(0, 0)
    if os.isatty(0):
        # Or the kernel stops us for reaching out from the background.
        signals.handle(signals.SIGTTOU, signals.SIG_IGN)
        os.tcsetpgrp(0, os.getpgrp())
        signals.handle(signals.SIGTTOU, signals.SIG_DFL)


def _reap(child: int, waited: set[int]) -> None:
    set_name("init")
    overwrite_command_line("init")
    close_all()
    signals.handle(signals.SIGTTIN, signals.SIG_IGN)
    signals.handle(signals.SIGTTOU, signals.SIG_IGN)
    while True:
        number = signals.wait(waited)
        if number != signals.SIGCHLD:
            _pass_on(child, number)
            continue
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                os._exit(code if code >= 0 else _SIGNALLED - code)
            if pid == 0:
                break


def _pass_on(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except (ProcessLookupError, PermissionError):
        # Gone, or it has become another user: then it is not ours to signal.
        pass
