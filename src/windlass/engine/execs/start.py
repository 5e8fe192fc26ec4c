"""`POST /exec/{id}/start`: the supervisor forks, the client's connection goes with the request."""

from __future__ import annotations

from collections.abc import Sequence

from windlass.base.errors import Conflict
from windlass.base.threads import run_blocking
from windlass.engine.containers.announce import announce
from windlass.engine.containers.container import Container
from windlass.engine.containers.foreign import exec_failure
from windlass.engine.containers.lowering import container_intent
from windlass.engine.engine import Engine
from windlass.engine.errors import NotRunning
from windlass.engine.execs.create import check_running
from windlass.engine.execs.table import Exec
from windlass.runtime.foreign import foreign_process
from windlass.runtime.lower_exec import ExecIntent, exec_process, lower_exec
from windlass.runtime.lower_spec import lower_container
from windlass.runtime.task import Attachment, StartFailed, Task, TaskGone
from windlass.spec.plan import LaunchPlan
from windlass.spec.runtime import RuntimeSpec
from windlass.spec.task import ExecPlan, IoPlan

_FAILED, _NOT_FOUND = 126, 127


def check_startable(exec_: Exec) -> None:
    """Refuse an exec that was started, or whose container does not run.

    Raises:
        Conflict: in dockerd's words.
    """
    if exec_.exit_code is not None:
        raise Conflict(f"exec {exec_.id} has already run")
    if exec_.started:
        raise Conflict(f"exec {exec_.id} is already running")
    check_running(exec_.container)


async def start_exec(
    engine: Engine, exec_: Exec, attachments: Sequence[Attachment], console_size: Sequence[int] = ()
) -> None:
    """Start the process; returns when it has become the user's program.

    Raises:
        Conflict: it was started already, or the container does not run.
        StartFailed: it could not be started; its exit code is set.
    """
    check_startable(exec_)
    exec_.started = True
    await engine.nursery.run(_start(engine, exec_, attachments, console_size), f"exec {exec_.id}")


async def _start(engine: Engine, exec_: Exec, attachments: Sequence[Attachment], console_size: Sequence[int]) -> None:
    container, config = exec_.container, exec_.config
    task = container.task
    assert task is not None
    exec_.open_stdin = any(attachment.stdin for attachment in attachments)
    rows, columns = _size(console_size or config.console_size or ())
    try:
        plan = await _plan(engine, exec_, task, IoPlan(config.tty, exec_.open_stdin, True, rows, columns))
        announce(engine, container, f"exec_start: {' '.join(config.argv)}", execID=exec_.id)
        exec_.running = True
        exec_.pid = await task.exec(plan, attachments)
    except StartFailed as error:
        _fail(exec_, error.exit_code)
        raise StartFailed(exec_failure(error.message, foreign=task.foreign), error.exit_code) from error
    except TaskGone as error:
        _fail(exec_, _FAILED)
        raise NotRunning(container.id) from error
    except BaseException:
        _fail(exec_, _FAILED)
        raise


async def _plan(engine: Engine, exec_: Exec, task: Task, io: IoPlan) -> ExecPlan:
    container, config = exec_.container, exec_.config
    spec = await _spec(engine, container)
    intent = ExecIntent(config.argv, config.env or [], config.user, config.working_dir, config.tty, config.privileged)
    if task.foreign:
        assert spec.process is not None
        process = exec_process(intent, spec.process, engine.facts.capabilities)
        return ExecPlan(exec_.id, LaunchPlan([]), io, foreign_process(process))
    launch = lower_exec(
        intent,
        spec,
        cgroup_files=container.cgroup.join_files() if container.cgroup is not None else (),
        seccomp_program=_program(engine, spec),
        host_capabilities=engine.facts.capabilities,
        security_modules=engine.facts.security_modules,
    )
    return ExecPlan(exec_.id, launch, io)


def _fail(exec_: Exec, exit_code: int) -> None:
    """Take note of the end of what never ran; that there is no such program has a code of its own."""
    exec_.running = False
    exec_.exit_code = exit_code if exit_code == _NOT_FOUND else _FAILED


def _size(console_size: Sequence[int]) -> tuple[int, int]:
    return (console_size[0], console_size[1]) if len(console_size) == 2 else (0, 0)


async def _spec(engine: Engine, container: Container) -> RuntimeSpec:
    """The container's specification; an adopted container's is lowered again, which gives the same."""
    if container.spec is None:
        intent = await run_blocking(container_intent, engine, container.intent)
        container.spec = lower_container(intent)
    return container.spec


def _program(engine: Engine, spec: RuntimeSpec) -> bytes | None:
    seccomp = spec.linux.seccomp
    return engine.filters.program(seccomp) if seccomp is not None else None
