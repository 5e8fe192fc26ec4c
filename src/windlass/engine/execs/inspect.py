"""`GET /exec/{id}/json` and what else is asked of an exec."""

from __future__ import annotations

from windlass.base.errors import Conflict
from windlass.engine.engine import Engine
from windlass.engine.execs.table import Exec
from windlass.runtime.task import TaskGone


def inspect_exec(exec_: Exec) -> dict[str, object]:
    """Return the API's ExecInspectResponse."""
    config = exec_.config
    # Empty for an exec of an earlier daemon: only its supervisor remembers it.
    entrypoint, *arguments = config.argv or [""]
    return {
        "ID": exec_.id,
        "Running": exec_.running,
        "ExitCode": exec_.exit_code,
        "ProcessConfig": {
            "tty": config.tty,
            "entrypoint": entrypoint,
            "arguments": arguments,
            "privileged": config.privileged,
            **({"user": config.user} if config.user else {}),
        },
        "OpenStdin": config.attach_stdin,
        "OpenStderr": config.attach_stderr,
        "OpenStdout": config.attach_stdout,
        "CanRemove": exec_.exit_code is not None,
        "ContainerID": exec_.container.id,
        "DetachKeys": config.detach_keys,
        "Pid": exec_.pid,
    }


async def resize_exec(engine: Engine, exec_id: str, rows: int, columns: int) -> None:
    """Set the size of an exec's terminal.

    Raises:
        NoSuchExec, Conflict: it does not run.
    """
    exec_ = engine.execs.get(exec_id)
    task = exec_.container.task
    if not exec_.running or task is None:
        raise Conflict(f"exec {exec_.id} is not running")
    try:
        await task.resize(rows, columns, exec_.id)
    except TaskGone as error:
        raise Conflict(f"exec {exec_.id} is not running") from error
