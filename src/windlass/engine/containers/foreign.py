"""Containers that another OCI runtime makes: what is different for the engine.

The runtime makes the control group, and only it can end what it has made; everything else is the supervisor's business.
"""

from __future__ import annotations

import logging
import os

import msgspec

from windlass.base.errors import InvalidParameter, WindlassError
from windlass.base.logging import event
from windlass.base.threads import run_blocking
from windlass.cgroups.model import Cgroup
from windlass.engine.containers.model import Intent
from windlass.engine.engine import Engine
from windlass.engine.paths import ContainerPaths
from windlass.runtime.foreign import foreign_plan, systemd_cgroup
from windlass.runtime.runtimes import Runtime
from windlass.runtime.task import StartFailed
from windlass.spec.plan import BindRoot, OverlayRoot
from windlass.spec.runtime import RuntimeSpec
from windlass.spec.task import ForeignPlan, ForeignRuntime

# dockerd looks users up itself, and says so without naming a runtime.
_ABOUT_THE_USER = ("unable to find user ", "unable to find group ", "uids and gids must be in range ")
_ABOUT_THE_LOG = "failed to initialize logging driver: "
_log = logging.getLogger(__name__)


def runtime_of(engine: Engine, intent: Intent) -> Runtime | None:
    """Return the runtime that is to make a container; None is our own.

    Raises:
        InvalidParameter: it is not configured any more.
    """
    return engine.settings.runtimes.get(intent.host_config.runtime)


def plan_foreign(
    engine: Engine, intent: Intent, spec: RuntimeSpec, root: OverlayRoot | BindRoot, runtime: Runtime
) -> tuple[ForeignPlan, Cgroup]:
    """Return what the supervisor is to do, and the control group that will be there then. Blocks.

    Raises:
        StartFailed: the runtime's program is not there.
    """
    name, place = _cgroup(spec.linux.cgroups_path, intent.id, runtime)
    spec = msgspec.structs.replace(spec, linux=msgspec.structs.replace(spec.linux, cgroups_path=name))
    if not runtime.systemd_cgroup:
        # Made as our own containers need it, whoever comes first.
        engine.cgroups.ensure_parent(os.path.dirname(place))
    known_as = intent.host_config.runtime
    try:
        path = runtime.program()
    except StartFailed as error:
        raise StartFailed(start_failure(error.message, foreign=True), error.exit_code) from error
    program = ForeignRuntime(known_as, path, list(runtime.args), engine.paths.runtime_state(known_as))
    plan = foreign_plan(spec, program, root, engine.paths.container(intent.id).bundle)
    return plan, engine.cgroups.open(place)


def _cgroup(path: str, container_id: str, runtime: Runtime | None) -> tuple[str, str]:
    if runtime is not None and runtime.systemd_cgroup:
        return systemd_cgroup(path.strip("/").rpartition("/")[0], container_id)
    return path, path.strip("/")


def open_cgroup(engine: Engine, intent: Intent, path: str) -> Cgroup:
    """Return the control group of a container; `path` is the one that our own runtime makes."""
    try:
        runtime = runtime_of(engine, intent)
    except InvalidParameter:
        runtime = None
    return engine.cgroups.open(_cgroup(path, intent.id, runtime)[1])


def start_failure(message: str, *, foreign: bool) -> str:
    """Return why a container was not started, in the words that come to Docker's clients."""
    if message.startswith(_ABOUT_THE_USER):
        return message
    if message.startswith(_ABOUT_THE_LOG):
        return f"failed to create task for container: {message}"
    if foreign:
        return (
            "failed to create task for container: failed to create shim task: OCI runtime create failed: "
            f"{message}: unknown"
        )
    return (
        f"failed to create task for container: OCI runtime create failed: unable to start container process: {message}"
    )


def exec_failure(message: str, *, foreign: bool) -> str:
    """Return why an exec was not started, in the words that come to Docker's clients."""
    if message.startswith(_ABOUT_THE_USER):
        return message
    if foreign:
        return f"OCI runtime exec failed: {message}: unknown"
    return f"OCI runtime exec failed: exec failed: unable to start container process: {message}: unknown"


async def delete_leftover(engine: Engine, paths: ContainerPaths) -> None:
    """Let the runtime delete a container whose supervisor died; mostly there is none."""
    if not await run_blocking(os.path.isdir, paths.bundle):
        return
    try:
        result = await engine.launcher.run_job("delete-foreign", {"bundle": paths.bundle})
        error: object = result["error"]
    except WindlassError as failed:
        error = failed
    if error:
        event(_log, logging.WARNING, "runtime did not delete its container", container=paths.id, error=error)
    else:
        event(_log, logging.INFO, "runtime deleted what was left of its container", container=paths.id)
