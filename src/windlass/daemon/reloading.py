"""SIGHUP: what a running daemon takes over from the configuration, and the event that tells of it.

Everything else of the file and the command line waits for the next start, as in dockerd.

Source: dockerd's reference, "Configuration reload behavior"; the attributes are those of its `reload` event.
"""

from __future__ import annotations

import dataclasses
import json
import platform

import msgspec

from windlass.base.threads import run_blocking
from windlass.daemon.configuration import Configuration
from windlass.daemon.wiring import engine_settings, pull_options
from windlass.engine import host_info
from windlass.engine.engine import Engine

_SETTINGS = (
    "debug",
    "ipc_mode",
    "insecure_registries",
    "labels",
    "registry_mirrors",
    "runtimes",
    "shm_size_bytes",
    "shutdown_timeout_s",
)


async def take_over(engine: Engine, configuration: Configuration) -> None:
    """Make what may change while the daemon runs as `configuration` says, and emit the event `reload`.

    Raises:
        InvalidParameter: a value is malformed; nothing has changed.
    """
    options = pull_options(configuration)
    wanted = engine_settings(configuration)
    engine.images.configure(options)
    engine.settings = dataclasses.replace(engine.settings, **{name: getattr(wanted, name) for name in _SETTINGS})
    engine.defaults = msgspec.structs.replace(engine.defaults, shm_size=wanted.shm_size_bytes, ipc_mode=wanted.ipc_mode)
    engine.events.emit("daemon", "reload", await run_blocking(host_info.machine_id), attributes(configuration))


def attributes(configuration: Configuration) -> dict[str, str]:
    """Return the event's attributes: every value that counts from now on."""
    numbers = ("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "shutdown-timeout")
    lists = {"insecure-registries": "insecure-registry", "labels": "label", "registry-mirrors": "registry-mirror"}
    runtimes = configuration.runtimes
    return {
        "name": platform.node(),
        "debug": json.dumps(configuration.log_level == "debug"),
        "default-ipc-mode": configuration.text("default-ipc-mode"),
        "default-runtime": runtimes.default,
        "default-shm-size": str(configuration.shm_size_bytes),
        "live-restore": "true",
        "runtimes": " ".join(f"{name}:{runtime.path}" for name, runtime in sorted(runtimes.configured.items())),
        **{flag: str(configuration.number(flag)) for flag in numbers},
        **{key: json.dumps(configuration.items(flag)) for key, flag in lists.items()},
    }
