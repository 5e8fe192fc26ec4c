"""The health check.

Source: https://docs.docker.com/reference/cli/docker/container/run/ (--health-*)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.cli.flags import Values

_DURATIONS = {
    "health-interval": "Interval",
    "health-timeout": "Timeout",
    "health-start-period": "StartPeriod",
    "health-start-interval": "StartInterval",
}


def healthcheck(values: Values) -> dict[str, object] | None:
    """Return the Healthcheck of the API, durations in nanoseconds, None when no flag asks; raises ValueError."""
    given = [name for name in (*_DURATIONS, "health-cmd", "health-retries") if values.get(name)]
    if values.on("no-healthcheck"):
        if given:
            raise ValueError("--no-healthcheck conflicts with --health-* options")
        return {"Test": ["NONE"]}
    if not given:
        return None
    check: dict[str, object] = {}
    if values.text("health-cmd"):
        check["Test"] = ["CMD-SHELL", values.text("health-cmd")]
    for name in (*_DURATIONS, "health-retries"):
        if values.number(name) < 0:
            raise ValueError(f"--{name} cannot be negative")
    check.update({field: values.number(name) for name, field in _DURATIONS.items() if values.number(name)})
    if values.number("health-retries"):
        check["Retries"] = values.number("health-retries")
    return check
