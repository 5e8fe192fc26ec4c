"""What a container's `HEALTHCHECK` asks for.

Source: Engine API, HealthConfig; Dockerfile reference, HEALTHCHECK.
"""

from __future__ import annotations

from dataclasses import dataclass

from windlass.spec.container import ContainerConfig, HealthConfig

_NS = 1_000_000_000
_SHELL = ("/bin/sh", "-c")
_INTERVAL_NS = _TIMEOUT_NS = 30 * _NS
_START_INTERVAL_NS = 5 * _NS
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Probe:
    """A command and its rhythm, in nanoseconds."""

    argv: tuple[str, ...]
    interval_ns: int = _INTERVAL_NS
    timeout_ns: int = _TIMEOUT_NS
    start_period_ns: int = 0
    start_interval_ns: int = _START_INTERVAL_NS
    retries: int = _RETRIES


def probe_of(config: ContainerConfig) -> Probe | None:
    """Return what is to be run in a container, None when nothing is: no check, `NONE`, or a kind that is unknown."""
    health = config.healthcheck
    argv = _argv(health, config.shell) if health is not None else ()
    if health is None or not argv:
        return None
    return Probe(
        argv,
        interval_ns=health.interval or _INTERVAL_NS,
        timeout_ns=health.timeout or _TIMEOUT_NS,
        start_period_ns=health.start_period,
        start_interval_ns=health.start_interval or _START_INTERVAL_NS,
        retries=health.retries or _RETRIES,
    )


def _argv(health: HealthConfig, shell: list[str] | None) -> tuple[str, ...]:
    match health.test:
        case ["CMD", *words]:
            return tuple(words)
        case ["CMD-SHELL", *words]:
            return (*(shell or _SHELL), " ".join(words))
    return ()
