"""`docker import --change`: Dockerfile instructions that alter a configuration.

Source: Docker CLI reference, "docker image import"; Dockerfile reference.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.images.words import expand, split_words
from windlass.spec.container import ContainerConfig, HealthConfig

_PORT = re.compile(r"\A(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?\Z", re.IGNORECASE)
_DURATION = re.compile(r"\A(?:(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+\Z")
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_MIN_DURATION_NS = 1_000_000
_SHELL = ["/bin/sh", "-c"]


class InvalidChange(InvalidParameter):
    """A change is no instruction, or a bad one."""


def apply_changes(changes: Iterable[str], config: ContainerConfig | None = None) -> ContainerConfig:
    """Return the configuration that the instructions make, in their order, of an empty one or of `config`, in place.

    Raises:
        InvalidChange: in dockerd's words.
    """
    config = config or ContainerConfig()
    seen = set()
    for change in changes:
        for line in change.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                seen.add(_apply(config, line.strip()))
    if "ENTRYPOINT" in seen and "CMD" not in seen:
        # The command was the old entrypoint's.
        config.cmd = None
    return config


def _apply(config: ContainerConfig, line: str) -> str:
    """Apply one instruction; return its name."""
    name, *rest = line.split(None, 1)
    apply = _INSTRUCTIONS.get(name.upper())
    if apply is None:
        raise InvalidChange(f"{name[:40].lower()} is not a valid change command")
    text = rest[0].strip() if rest else ""
    if not text:
        raise InvalidChange(f"{name.upper()} requires at least one argument")
    apply(config, text)
    return name.upper()


def _env(config: ContainerConfig) -> dict[str, str]:
    return {name: value for name, _, value in (entry.partition("=") for entry in config.env or ())}


def _json_list(text: str) -> list[str] | None:
    """Return the JSON array of strings that `text` is, or None: then it is in shell form."""
    if not text.startswith("["):
        return None
    try:
        return msgspec.json.decode(text, type=list[str])
    except (msgspec.DecodeError, RecursionError):
        return None


def _command(text: str) -> list[str]:
    found = _json_list(text)
    return [*_SHELL, text] if found is None else found


def _pairs(instruction: str, text: str, env: dict[str, str]) -> list[tuple[str, str]]:
    """Read `a=b c="d e"`, or the old form `a the rest`."""
    words = split_words(text)
    if "=" not in words[0]:
        if len(words) < 2:
            raise InvalidChange(f"{instruction} must have two arguments")
        name, value = text.split(None, 1)
        return [(expand(name, env), expand(value, env))]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise InvalidChange(f"Syntax error - can't find = in {word[:80]!r}. Must be of the form: name=value")
        name = expand(name, env)
        if not name:
            raise InvalidChange(f"{instruction} names can not be blank")
        pairs.append((name, expand(value, env)))
    return pairs


def _set_cmd(config: ContainerConfig, text: str) -> None:
    config.cmd = _command(text)


def _set_entrypoint(config: ContainerConfig, text: str) -> None:
    config.entrypoint = _command(text)


def _set_env(config: ContainerConfig, text: str) -> None:
    env = _env(config)
    merged = env | dict(_pairs("ENV", text, env))
    config.env = [f"{name}={value}" for name, value in merged.items()]


def _set_label(config: ContainerConfig, text: str) -> None:
    config.labels = (config.labels or {}) | dict(_pairs("LABEL", text, _env(config)))


def _set_expose(config: ContainerConfig, text: str) -> None:
    ports = dict(config.exposed_ports or {})
    for word in split_words(text):
        spec = expand(word, _env(config))
        match = _PORT.match(spec)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if match is None or not first <= last <= 65535:
            raise InvalidChange(f"invalid containerPort: {spec[:80]}")
        ports.update({f"{port}/{(match[3] or 'tcp').lower()}": {} for port in range(first, last + 1)})
    config.exposed_ports = ports


def _set_user(config: ContainerConfig, text: str) -> None:
    config.user = expand(text, _env(config))


def _set_workdir(config: ContainerConfig, text: str) -> None:
    path = posixpath.join(config.working_dir or "/", expand(text, _env(config)))
    config.working_dir = "/" + posixpath.normpath(path).lstrip("/")


def _set_volume(config: ContainerConfig, text: str) -> None:
    listed = _json_list(text)
    paths = split_words(text) if listed is None else listed
    volumes = dict(config.volumes or {})
    for path in paths:
        path = expand(path, _env(config)).strip()
        if not path:
            raise InvalidChange("VOLUME specified can not be an empty string")
        volumes[path] = {}
    config.volumes = volumes


def _set_stop_signal(config: ContainerConfig, text: str) -> None:
    signal = expand(text, _env(config))
    if not re.match(r"\A(?:\d{1,2}|(?:SIG)?[A-Z][A-Z0-9+-]{1,12})\Z", signal, re.IGNORECASE):
        raise InvalidChange(f"invalid signal: {signal[:40]}")
    config.stop_signal = signal


def _set_onbuild(config: ContainerConfig, text: str) -> None:
    trigger = text.split(None, 1)[0].upper()
    if trigger == "ONBUILD":
        raise InvalidChange("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise InvalidChange(f"{trigger} isn't allowed as an ONBUILD trigger")
    config.on_build = [*(config.on_build or ()), text]


def _set_healthcheck(config: ContainerConfig, text: str) -> None:
    health = HealthConfig()
    words = text.split()
    while words and words[0].startswith("--"):
        _set_health_flag(health, words.pop(0))
    kind = words[0].upper() if words else ""
    command = text[text.upper().find(kind) + len(kind) :].strip() if kind else ""
    if kind == "NONE" and not command:
        health.test = ["NONE"]
    elif kind == "CMD" and command:
        listed = _json_list(command)
        health.test = ["CMD-SHELL", command] if listed is None else ["CMD", *listed]
    elif kind == "CMD":
        raise InvalidChange("Missing command after HEALTHCHECK CMD")
    else:
        raise InvalidChange(f'Unknown type "{kind[:40]}" in HEALTHCHECK (try CMD)')
    config.healthcheck = health


def _set_health_flag(health: HealthConfig, flag: str) -> None:
    name, _, value = flag[2:].partition("=")
    if name == "retries":
        if not value.isdecimal() or len(value) > 9:
            raise InvalidChange(f"--retries must be a number: {value[:40]!r}")
        health.retries = int(value)
    elif name in ("interval", "timeout", "start-period", "start-interval"):
        setattr(health, name.replace("-", "_"), _duration_ns(name, value))
    else:
        raise InvalidChange(f"unknown flag: --{name[:40]}")


def _duration_ns(flag: str, text: str) -> int:
    if not _DURATION.match(text):
        raise InvalidChange(f'time: invalid duration "{text[:40]}"')
    total = sum(float(number) * _UNIT_NS[unit] for number, unit in _DURATION_PART.findall(text))
    if 0 < total < _MIN_DURATION_NS:
        raise InvalidChange(f'Interval "{flag}" cannot be less than 1ms')
    return int(total)


_INSTRUCTIONS: dict[str, Callable[[ContainerConfig, str], None]] = {
    "CMD": _set_cmd,
    "ENTRYPOINT": _set_entrypoint,
    "ENV": _set_env,
    "EXPOSE": _set_expose,
    "HEALTHCHECK": _set_healthcheck,
    "LABEL": _set_label,
    "ONBUILD": _set_onbuild,
    "STOPSIGNAL": _set_stop_signal,
    "USER": _set_user,
    "VOLUME": _set_volume,
    "WORKDIR": _set_workdir,
}
