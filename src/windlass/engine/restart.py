"""Restart policies: whether a container that ended is started again, and when.

The first restart waits 100 ms, every further one twice as long, up to a minute; a run of ten seconds forgives what was
before it. A container whose label asks for a restart when it is unhealthy needs no policy (`health/on_failure.py`).

Source: Docker, "Start containers automatically"; Engine API, RestartPolicy.
"""

from __future__ import annotations

from windlass.engine.containers.container import Container
from windlass.engine.health.on_failure import action_of
from windlass.spec.container import RestartPolicy
from windlass.spec.task import ExitRecord

_FIRST_S = 0.1
_LONGEST_S = 60.0
_FORGIVEN_NS = 10 * 1_000_000_000


def wants_restart(container: Container, record: ExitRecord) -> bool:
    """Tell whether a container that has just ended is to be started again."""
    if container.stop_requested:
        return False
    if _ended_unhealthy(container):
        return True
    policy = container.intent.host_config.restart_policy
    return _allows(policy, record.exit_code, container.state.restart_count)


def _ended_unhealthy(container: Container) -> bool:
    """Whether it was ended to be healed, or ended before that could be done."""
    health = container.state.health
    return (
        health is not None
        and health.status == "unhealthy"
        and container.state.is_running
        and action_of(container.intent.config.labels) == "restart"
    )


def wants_start_with_daemon(container: Container, exit_code: int) -> bool:
    """Tell whether a container that is not running is to be started because the daemon was."""
    policy = container.intent.host_config.restart_policy
    state = container.state
    if not state.started_at_ns:
        return False
    if policy.name == "always":
        return True
    if state.stopped_by_user:
        return False
    return _allows(policy, exit_code, state.restart_count)


def _allows(policy: RestartPolicy, exit_code: int, restarts: int) -> bool:
    match policy.name:
        case "always" | "unless-stopped":
            return True
        case "on-failure":
            return exit_code != 0 and (not policy.maximum_retry_count or restarts < policy.maximum_retry_count)
    return False


def next_delay_s(container: Container, record: ExitRecord) -> float:
    """Return how long to wait before the restart, in seconds, and remember it for the next time."""
    ran_ns = record.finished_at_ns - record.started_at_ns
    if not container.restart_delay_s or ran_ns >= _FORGIVEN_NS:
        container.restart_delay_s = _FIRST_S
    else:
        container.restart_delay_s = min(container.restart_delay_s * 2, _LONGEST_S)
    return container.restart_delay_s
