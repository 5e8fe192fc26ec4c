"""What probes come to: a verdict, and when the next one is due. Pure.

Source: Dockerfile reference, HEALTHCHECK: failures within the start period do not count until one probe has succeeded.
"""

from __future__ import annotations

from windlass.engine.health.model import Health, HealthResult, HealthStatus
from windlass.engine.health.probe import Probe

# Source: docker inspect, State.Health.Log.
_RESULTS_KEPT = 5


def judge(health: Health, result: HealthResult, probe: Probe, started_at_ns: int) -> Health:
    """Return a container's health after one more probe; `started_at_ns` is when its process was started."""
    log = (*health.log[1 - _RESULTS_KEPT :], result)
    if result.exit_code == 0:
        return Health("healthy", 0, log)
    if health.status == "starting" and result.started_at_ns - started_at_ns < probe.start_period_ns:
        return Health(health.status, health.failing_streak, log)
    streak = health.failing_streak + 1
    status: HealthStatus = "unhealthy" if streak >= probe.retries else health.status
    return Health(status, streak, log)


def ended(health: Health | None) -> Health | None:
    """Return the health of a container that has ended: unhealthy, as dockerd has it."""
    return None if health is None else Health("unhealthy", health.failing_streak, health.log)


def next_probe_in_ns(health: Health, probe: Probe, started_at_ns: int, now_ns: int) -> int:
    """Return how long to wait for the next probe: less while the container is still starting."""
    if health.status == "starting" and now_ns - started_at_ns < probe.start_period_ns:
        return probe.start_interval_ns
    return probe.interval_ns
