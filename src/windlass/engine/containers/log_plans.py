"""From a container's log options to the plan of its log."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

from windlass.base.ids import SHORT_ID_LENGTH
from windlass.engine.containers.log_options import (
    REMOTE_DRIVERS,
    cache_rotation,
    go_duration_ns,
    log_size,
    parse_bool,
    rotation,
)
from windlass.engine.containers.log_tags import DEFAULT_TAG, expand_tag
from windlass.engine.containers.model import Intent
from windlass.engine.paths import ContainerPaths
from windlass.spec.task import LogPlan, LogSubject, RemotePlan

# Tags of existing log pipelines say so.
_DAEMON_NAME = "docker"
_DEFAULT_BUFFER = 1 << 20
_NS = 1_000_000_000


def log_file(intent: Intent, paths: ContainerPaths) -> tuple[str, str]:
    """Return where a container's log can be read and in which format; an empty path where it cannot.

    Options were checked when the container was made.
    """
    log = intent.host_config.log_config
    if log.type in ("", "json-file"):
        return paths.log, "json"
    if log.type == "local":
        return paths.local_log, "local"
    if log.type in REMOTE_DRIVERS and cache_rotation(log.config or {}) is not None:
        return paths.cached_log, "local"
    return "", ""


def log_plan(intent: Intent, paths: ContainerPaths) -> LogPlan:
    """Return how a container's output is kept and where it is sent."""
    log = intent.host_config.log_config
    options = log.config or {}
    path, format_ = log_file(intent, paths)
    remote = _remote(intent, options) if log.type in REMOTE_DRIVERS else None
    if not path:
        return LogPlan(remote=remote)
    kept = cache_rotation(options) if remote is not None else rotation(options, log.type or "json-file")
    assert kept is not None
    attrs = _chosen(intent, options)
    if options.get("tag"):
        attrs["tag"] = expand_tag(options["tag"], _tag_fields(_subject(intent)))
    return LogPlan(
        path=path,
        format=format_,
        max_size=kept.max_size,
        max_file=kept.max_file,
        compress=kept.compress,
        attrs=attrs if format_ == "json" else {},
        remote=remote,
    )


def _remote(intent: Intent, options: Mapping[str, str]) -> RemotePlan:
    driver = intent.host_config.log_config.type
    subject = _subject(intent)
    settled = dict(options)
    drops = options.get("mode") == "non-blocking"
    limit = log_size(options.get("max-buffer-size", "")) or _DEFAULT_BUFFER
    if driver == "fluentd":
        wait_ns = go_duration_ns(options.get("fluentd-retry-wait") or "1s")
        settled["fluentd-retry-wait"] = f"{wait_ns / _NS:.9f}"
        asynchronous = options.get("fluentd-async") or options.get("fluentd-async-connect") or "false"
        if parse_bool(asynchronous):
            drops = True
            limit = log_size(options.get("fluentd-buffer-limit", "")) or limit
    return RemotePlan(
        driver=driver,
        options=settled,
        tag=expand_tag(options.get("tag") or DEFAULT_TAG, _tag_fields(subject)),
        attrs=_chosen(intent, options),
        subject=subject,
        non_blocking=drops,
        max_buffer=limit,
    )


def _subject(intent: Intent) -> LogSubject:
    return LogSubject(
        id=intent.id,
        name=intent.name,
        image_id=str(intent.image_id),
        image_name=intent.config.image,
        command=" ".join(intent.argv),
        created_ns=intent.created_ns,
        hostname=socket.gethostname(),
    )


def _tag_fields(subject: LogSubject) -> dict[str, str]:
    short_image = subject.image_id.partition(":")[2] or subject.image_id
    return {
        "ID": subject.id[:SHORT_ID_LENGTH],
        "FullID": subject.id,
        "Name": subject.name,
        "ImageID": short_image[:SHORT_ID_LENGTH],
        "ImageFullID": subject.image_id,
        "ImageName": subject.image_name,
        "Command": subject.command,
        "DaemonName": _DAEMON_NAME,
        "Hostname": subject.hostname,
        "ContainerID": subject.id,
        "ContainerName": f"/{subject.name}",
        "ContainerImageID": subject.image_id,
        "ContainerImageName": subject.image_name,
    }


def _chosen(intent: Intent, options: Mapping[str, str]) -> dict[str, str]:
    """Labels and environment variables that the options ask to see in every record."""
    environment = dict(entry.partition("=")[::2] for entry in intent.config.env or ())
    return _select(intent.config.labels or {}, options.get("labels", ""), options.get("labels-regex", "")) | _select(
        environment, options.get("env", ""), options.get("env-regex", "")
    )


def _select(values: Mapping[str, str], names: str, expression: str) -> dict[str, str]:
    chosen = {name: values[name] for name in names.split(",") if name in values}
    if expression:
        pattern = re.compile(expression)
        chosen |= {name: value for name, value in values.items() if pattern.search(name)}
    return chosen
