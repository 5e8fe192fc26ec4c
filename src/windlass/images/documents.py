"""Documents that are made here: configurations and manifests of imported images, in a form that never varies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from windlass.base.clock import rfc3339_nano
from windlass.spec import media_types
from windlass.spec.container import ContainerConfig
from windlass.spec.image import Descriptor
from windlass.spec.platform import Platform

_encoder = msgspec.json.Encoder(order="sorted")

# The members that an image may carry. Source: Engine API, ImageConfig. The first group is shown even when empty.
_ALWAYS = {
    "Cmd": "cmd",
    "Entrypoint": "entrypoint",
    "Env": "env",
    "Labels": "labels",
    "OnBuild": "on_build",
    "User": "user",
    "Volumes": "volumes",
    "WorkingDir": "working_dir",
}
_WHEN_SET = {
    "ArgsEscaped": "args_escaped",
    "ExposedPorts": "exposed_ports",
    "Healthcheck": "healthcheck",
    "Shell": "shell",
    "StopSignal": "stop_signal",
}


def config_members(config: ContainerConfig, *, empty: bool) -> dict[str, object]:
    """Return the members of `config` that belong to images, in the Engine API's names.

    With `empty` the usual ones are there even without a value, as clients that predate API 1.52 expect.
    """
    members: dict[str, object] = {}
    for name, attribute in (_ALWAYS | _WHEN_SET).items():
        value = getattr(config, attribute)
        if value or (empty and name in _ALWAYS):
            members[name] = _plain(value)
    return members


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        found: dict[str, object] = msgspec.to_builtins(value)
        return {name: member for name, member in found.items() if member}
    return value


def make_config(
    config: Mapping[str, object],
    platform: Platform,
    diff_ids: Iterable[str],
    *,
    created_ns: int,
    comment: str,
) -> bytes:
    """Return the raw configuration of an image of one history step."""
    created = rfc3339_nano(created_ns)
    document: dict[str, object] = {
        "architecture": platform.architecture,
        "comment": comment,
        "config": dict(config),
        "created": created,
        "history": [{"created": created, "comment": comment}],
        "os": platform.os,
        "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
    }
    if platform.variant:
        document["variant"] = platform.variant
    return _encoder.encode(document)


def make_manifest(config: Descriptor, layers: Iterable[Descriptor]) -> bytes:
    """Return a raw OCI manifest."""
    return _encoder.encode(
        {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": config,
            "layers": list(layers),
        }
    )
