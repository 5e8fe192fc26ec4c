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
    since_start = human_duration((now_ns - state.started_at_ns) // _NS)
    since_end = human_duration((now_ns - state.finished_at_ns) // _NS)
    match state.status:
        case "running":
            return f"Up {since_start}{_HEALTH.get(state.health.status, '') if state.health else ''}"
        case "paused":
            return f"Up {since_start} (Paused)"
        case "restarting":
            return f"Restarting ({state.exit_code}) {since_end} ago"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case "created":
            return "Created"
    return f"Exited ({state.exit_code}) {since_end} ago"
