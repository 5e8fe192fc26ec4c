"""What may stand where: the kinds of a verb's arguments, and the words that a flag takes.

Kinds: `running`, `stopped`, `paused`, `container`, `image`, `network`, `volume`, `context`, `object` (any of the first
five), `copy` (a container with a path, or a file) and `file`.
"""

from __future__ import annotations

# The kinds of the arguments in turn, and whether the last one repeats.
ARGUMENTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "container attach": (("running",), False),
    "container commit": (("container", "image"), False),
    "container cp": (("copy",), True),
    "container create": (("image", "file"), True),
    "container diff": (("container",), False),
    "container exec": (("running", "file"), True),
    "container export": (("container",), False),
    "container inspect": (("container",), True),
    "container kill": (("running",), True),
    "container logs": (("container",), False),
    "container pause": (("running",), True),
    "container port": (("running",), False),
    "container rename": (("container",), False),
    "container restart": (("container",), True),
    "container rm": (("container",), True),
    "container run": (("image", "file"), True),
    "container start": (("stopped",), True),
    "container stats": (("running",), True),
    "container stop": (("running",), True),
    "container top": (("running",), False),
    "container unpause": (("paused",), True),
    "container update": (("container",), True),
    "container wait": (("container",), True),
    "context export": (("context", "file"), False),
    "context import": (("", "file"), False),
    "context inspect": (("context",), True),
    "context rm": (("context",), True),
    "context update": (("context",), False),
    "context use": (("context",), False),
    "image history": (("image",), False),
    "image import": (("file", "image"), False),
    "image inspect": (("image",), True),
    "image ls": (("image",), False),
    "image pull": (("image",), False),
    "image rm": (("image",), True),
    "image save": (("image",), True),
    "image tag": (("image", "image"), False),
    "inspect": (("object",), True),
    "network connect": (("network", "container"), False),
    "network disconnect": (("network", "container"), False),
    "network inspect": (("network",), True),
    "network rm": (("network",), True),
    "ns": (("running",), True),
    "volume inspect": (("volume",), True),
    "volume rm": (("volume",), True),
}

# Kinds that flags take, whatever the verb.
FLAG_KINDS = {
    "cidfile": "file",
    "config": "file",
    "context": "context",
    "env-file": "file",
    "from": "context",
    "input": "file",
    "label-file": "file",
    "network": "network",
    "output": "file",
    "tlscacert": "file",
    "tlscert": "file",
    "tlskey": "file",
    "volume": "mountable",
    "volumes-from": "container",
}

FLAG_WORDS = {
    "cgroupns": ("host", "private"),
    "format": ("json", "table"),
    "ipc": ("container:", "host", "none", "private", "shareable"),
    "log-driver": ("fluentd", "gelf", "journald", "json-file", "local", "none", "syslog"),
    "log-level": ("debug", "info", "warn", "error", "fatal"),
    "pid": ("container:", "host"),
    "platform": ("linux/amd64", "linux/arm/v7", "linux/arm64"),
    "pull": ("always", "missing", "never"),
    "restart": ("always", "no", "on-failure", "on-failure:", "unless-stopped"),
    "signal": ("HUP", "INT", "KILL", "QUIT", "STOP", "TERM", "USR1", "USR2", "WINCH"),
    "type": ("container", "image", "network", "volume"),
    "userns": ("host",),
    "uts": ("host",),
}

FILTERS = {
    "container ls": (
        "ancestor=",
        "before=",
        "exited=",
        "expose=",
        "health=",
        "id=",
        "label=",
        "name=",
        "network=",
        "publish=",
        "since=",
        "status=",
        "volume=",
    ),
    "container prune": ("label!=", "label=", "until="),
    "image ls": ("before=", "dangling=", "label=", "reference=", "since=", "until="),
    "image prune": ("dangling=", "label!=", "label=", "until="),
    "network ls": ("dangling=", "driver=", "id=", "label=", "name=", "scope=", "type="),
    "network prune": ("label!=", "label=", "until="),
    "system events": ("container=", "daemon=", "event=", "image=", "label=", "network=", "type=", "volume="),
    "system prune": ("label!=", "label=", "until="),
    "volume ls": ("dangling=", "driver=", "label=", "name="),
    "volume prune": ("all=", "label!=", "label="),
}

_STATES = ("created", "dead", "exited", "paused", "removing", "restarting", "running")
FILTER_WORDS = {
    "dangling": ("false", "true"),
    "health": ("healthy", "none", "starting", "unhealthy"),
    "status": _STATES,
    "type": ("container", "daemon", "image", "network", "volume"),
}
FILTER_KINDS = {
    "ancestor": "image",
    "before": "container",
    "container": "container",
    "image": "image",
    "network": "network",
    "since": "container",
    "volume": "volume",
}
