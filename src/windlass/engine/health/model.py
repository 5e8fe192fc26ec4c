"""What is known of a container's health.

Source: Engine API, Health and HealthcheckResult.
"""

from __future__ import annotations

from typing import Literal

import msgspec

HealthStatus = Literal["starting", "healthy", "unhealthy"]


class HealthResult(msgspec.Struct, frozen=True):
    """The outcome of one probe; times in nanoseconds since the epoch. -1: it could not be run, or took too long."""

    started_at_ns: int
    ended_at_ns: int
    exit_code: int
    output: str


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """A container's health: the verdict, how many probes in a row have failed, and the latest ones."""

    status: HealthStatus = "starting"
    failing_streak: int = 0
    log: tuple[HealthResult, ...] = ()
