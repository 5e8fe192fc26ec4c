"""A container's configuration over its image's.

Source: Docker, "Overriding image defaults"; what wins is what dockerd lets win.
"""

from __future__ import annotations

import re

from windlass.base.errors import InvalidParameter
from windlass.spec.container import ContainerConfig, HealthConfig

_HOSTNAME = re.compile(r"\A[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*\Z")
_HEALTH_MINIMUM_NS = 1_000_000


def merge_config(config: ContainerConfig, image: ContainerConfig) -> list[str]:
    """Complete `config` in place from `image` and return the command line.

    Raises:
        InvalidParameter: there is no command, or a member is malformed, in dockerd's words.
    """
    config.cmd = _words(config.cmd)
    config.entrypoint = _words(config.entrypoint)
    _check(config)
    _merge_command(config, image)
    config.env = _merged_env(config.env or [], image.env or [])
    config.exposed_ports = {**(image.exposed_ports or {}), **(config.exposed_ports or {})} or None
    config.labels = {**(image.labels or {}), **(config.labels or {})}
    config.volumes = {**(image.volumes or {}), **(config.volumes or {})} or None
    config.user = config.user or image.user
    config.working_dir = config.working_dir or image.working_dir
    config.stop_signal = config.stop_signal or image.stop_signal
    config.shell = config.shell or image.shell
    config.healthcheck = _merged_health(config.healthcheck, image.healthcheck)
    argv = [*(config.entrypoint or []), *(config.cmd or [])]
    if not argv:
        raise InvalidParameter("no command specified")
    return argv


def _words(command: list[str] | str | None) -> list[str] | None:
    return [command] if isinstance(command, str) else command


def _check(config: ContainerConfig) -> None:
    for entry in config.env or ():
        if not entry or entry.startswith("="):
            raise InvalidParameter(f"invalid environment variable: {entry}")
        if "\0" in entry:
            raise InvalidParameter("invalid environment variable: contains a NUL byte")
    if config.hostname and (len(config.hostname) > 63 or not _HOSTNAME.match(config.hostname)):
        raise InvalidParameter(f"invalid hostname format: {config.hostname}")
    if config.working_dir and not config.working_dir.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{config.working_dir}' is invalid, it needs to be an absolute path"
        )
    if config.healthcheck is not None:
        _check_health(config.healthcheck)


def _check_health(health: HealthConfig) -> None:
    for name, value in (
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    ):
        if value and value < _HEALTH_MINIMUM_NS:
            raise InvalidParameter(f"{name} in Healthcheck cannot be less than 1ms")
    if health.retries < 0:
        raise InvalidParameter("Retries in Healthcheck cannot be negative")


def _merge_command(config: ContainerConfig, image: ContainerConfig) -> None:
    """An own entrypoint drops the image's command; an empty one (`--entrypoint ""`) drops the image's entrypoint."""
    if not config.entrypoint:
        if not config.cmd:
            config.cmd = _words(image.cmd)
        if config.entrypoint is None:
            config.entrypoint = _words(image.entrypoint)
    if config.entrypoint == [""]:
        config.entrypoint = None


def _merged_env(own: list[str], image: list[str]) -> list[str]:
    names = {entry.partition("=")[0] for entry in own}
    return own + [entry for entry in image if entry.partition("=")[0] not in names]


def _merged_health(own: HealthConfig | None, image: HealthConfig | None) -> HealthConfig | None:
    if own is None or image is None:
        return own or image
    return HealthConfig(
        test=own.test or image.test,
        interval=own.interval or image.interval,
        timeout=own.timeout or image.timeout,
        retries=own.retries or image.retries,
        start_period=own.start_period or image.start_period,
        start_interval=own.start_interval or image.start_interval,
    )
