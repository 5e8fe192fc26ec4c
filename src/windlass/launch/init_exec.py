"""The last step: finding the program, and becoming it."""

from __future__ import annotations

import errno
import os
import stat

from windlass.launch.init_context import InitContext, StepFailed, reason
from windlass.linux import process
from windlass.spec import plan as ops

_EXIT_NOT_FOUND = 127
_EXIT_NOT_EXECUTABLE = 126


def find_program(ctx: InitContext, op: ops.FindProgram) -> None:
    """Look up the program now, for `Exec`."""
    ctx.program = _find_program(op.name, op.path)


def execute(ctx: InitContext, op: ops.Exec) -> None:
    """Become the program. Returns only by raising."""
    environment: dict[bytes, bytes] = {}
    for entry in op.env:
        key, separator, value = os.fsencode(entry).partition(b"=")
        if separator and key:
            environment[key] = value
    environment.setdefault(b"HOME", os.fsencode(ctx.home))
    name = op.args[0]
    path = ctx.program or _find_program(name, os.fsdecode(environment.get(b"PATH", b"")))
    process.close_on_exec_from(3 + op.preserve_fds)
    for number in range(3, 3 + op.preserve_fds):
        os.set_inheritable(number, True)
    try:
        os.execve(path, op.args, environment)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise StepFailed(f"exec {path}: no such file or directory", _EXIT_NOT_FOUND) from None
        raise StepFailed(f"exec {path}: {reason(error)}", _EXIT_NOT_EXECUTABLE) from None


def _find_program(name: str, search_path: str) -> str:
    """Find the program as a shell would; the messages are the ones that clients know."""
    if "/" in name:
        try:
            status = os.stat(name)
        except FileNotFoundError:
            raise StepFailed(f'exec: "{name}": stat {name}: no such file or directory', _EXIT_NOT_FOUND) from None
        except OSError as error:
            raise StepFailed(f'exec: "{name}": stat {name}: {reason(error)}', _EXIT_NOT_EXECUTABLE) from None
        if stat.S_ISDIR(status.st_mode):
            raise StepFailed(f'exec: "{name}": is a directory', _EXIT_NOT_EXECUTABLE)
        if not _executable(name):
            raise StepFailed(f'exec: "{name}": permission denied', _EXIT_NOT_EXECUTABLE)
        return name
    denied = False
    for directory in search_path.split(":"):
        candidate = os.path.join(directory or ".", name)
        try:
            if stat.S_ISDIR(os.stat(candidate).st_mode):
                continue
        except OSError:
            continue
        if _executable(candidate):
            return candidate
        denied = True
    if denied:
        raise StepFailed(f'exec: "{name}": permission denied', _EXIT_NOT_EXECUTABLE)
    raise StepFailed(f'exec: "{name}": executable file not found in $PATH', _EXIT_NOT_FOUND)


def _executable(path: str) -> bool:
    return os.access(path, os.X_OK, effective_ids=True)
