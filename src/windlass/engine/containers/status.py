"""A container's state in words: `Up 5 minutes`, `Exited (0) 2 hours ago`.

Source: docker ps; durations are those of go-units' HumanDuration.
"""

from __future__ import annotations

from windlass.engine.containers.model import State

_NS = 1_000_000_000
_MINUTE, _HOUR = 60, 3600
_HEALTH = {"starting": " (health: starting)", "healthy": " (healthy)", "unhealthy": " (unhealthy)"}


def human_duration(seconds: int) -> str:
    """Return a duration as people say it, rounded down to its largest unit."""
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < _MINUTE:
        return f"{seconds} seconds"
    if seconds < 2 * _MINUTE:
        return "About a minute"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} minutes"
    return _human_hours(seconds)


def _human_hours(seconds: int) -> str:
    hours = int(seconds / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    if hours < 48:
        return f"{hours} hours"
    if hours < 24 * 7 * 2:
        return f"{hours // 24} days"
    if hours < 24 * 30 * 2:
        return f"{hours // 24 // 7} weeks"
    if hours < 24 * 365 * 2:
        return f"{hours // 24 // 30} months"
    return f"{hours // 24 // 365} years"


def status_text(state: State, now_ns: int) -> str:
    """Return what `docker ps` shows as STATUS."""
    match state.status:
        case "running":
            health = _HEALTH[state.health.status] if state.health is not None else ""
            return f"Up {_since(state.started_at_ns, now_ns)}{health}"
        case "paused":
            return f"Up {_since(state.started_at_ns, now_ns)} (Paused)"
        case "restarting":
            return f"Restarting ({state.exit_code}) {_since(state.finished_at_ns, now_ns)} ago"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case "created":
            return "Created"
    return f"Exited ({state.exit_code}) {_since(state.finished_at_ns, now_ns)} ago"


def _since(moment_ns: int, now_ns: int) -> str:
    return human_duration((now_ns - moment_ns) // _NS)
