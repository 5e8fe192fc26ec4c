"""The label that says what becomes of a container that is unhealthy: `windlass.health.on-failure`.

    none      nothing, as with dockerd (the default)
    restart   it is stopped as `docker stop` does it, and started again, whatever its restart policy says
    stop      it is stopped
    kill      it is killed; its restart policy is not asked

A label, and not a restart policy of another name: every client can set it, an image can bring it along, and it goes
with every policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from windlass.base.errors import InvalidParameter

LABEL = "windlass.health.on-failure"
_ACTIONS = ("none", "restart", "stop", "kill")


def action_of(labels: Mapping[str, str] | None) -> str:
    """Return what is asked for."""
    return (labels or {}).get(LABEL, "none")


def check_on_failure(labels: Mapping[str, str] | None, *, auto_remove: bool) -> None:
    """Refuse what cannot be done.

    Raises:
        InvalidParameter: an unknown action, or a restart of what removes itself.
    """
    action = action_of(labels)
    if action not in _ACTIONS:
        raise InvalidParameter(f"invalid label {LABEL}={action}: it is one of {', '.join(_ACTIONS)}")
    if action == "restart" and auto_remove:
        raise InvalidParameter(f"can't create 'AutoRemove' container with label {LABEL}=restart")
