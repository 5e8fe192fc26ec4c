"""The long form of mounts: `--mount type=bind,source=/a,target=/b,readonly`.

Source: https://docs.docker.com/engine/storage/bind-mounts/#options-for---mount and its sisters for volumes and tmpfs.
"""

from __future__ import annotations

import os

from windlass.cli.create.csv_line import split_fields
from windlass.cli.create.units import memory_bytes
from windlass.cli.gotext import parse_bool, parse_uint

Mount = dict[str, object]
_KEYS_WITHOUT_VALUE = ("readonly", "ro", "volume-nocopy", "bind-nonrecursive")
_PLAIN = {
    "source": "Source",
    "src": "Source",
    "target": "Target",
    "dst": "Target",
    "destination": "Target",
    "consistency": "Consistency",
}
_OPTION_GROUPS = {"bind": "BindOptions", "volume": "VolumeOptions", "tmpfs": "TmpfsOptions", "image": "ImageOptions"}
_RECURSIVE = ("enabled", "disabled", "writable", "readonly")


class _Builder:
    """One mount while its fields are read; option groups are kept apart until the type is known."""

    def __init__(self) -> None:
        self.mount: Mount = {"Type": "volume"}
        self.groups: dict[str, dict[str, object]] = {name: {} for name in _OPTION_GROUPS}

    def group(self, name: str, *path: str) -> dict[str, object]:
        """The options of one type, or a dict nested in them, made when first asked for."""
        here = self.groups[name]
        for key in path:
            inner = here.setdefault(key, {})
            assert isinstance(inner, dict)
            here = inner
        return here


def parse_mount(text: str) -> Mount:
    """Parse one `--mount` value into a Mount of the API; raises ValueError."""
    builder = _Builder()
    for field in split_fields(text):
        key, equals, value = field.partition("=")
        key = key.lower()
        if not equals:
            if key not in _KEYS_WITHOUT_VALUE:
                raise ValueError(f"invalid field '{field}' must be a key=value pair")
            value = "true"
        if not _take(builder, key, value):
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    return _finished(builder)


def _take(builder: _Builder, key: str, value: str) -> bool:
    if key == "type":
        builder.mount["Type"] = value.lower()
    elif key in _PLAIN:
        builder.mount[_PLAIN[key]] = _absolute(value) if key in ("source", "src") else value
    elif key in ("readonly", "ro"):
        builder.mount["ReadOnly"] = _flag(key, value)
    elif key.startswith("bind-"):
        return _take_bind(builder.groups["bind"], key, value)
    elif key.startswith("volume-"):
        return _take_volume(builder, key, value)
    elif key.startswith("tmpfs-"):
        return _take_tmpfs(builder.groups["tmpfs"], key, value)
    elif key == "image-subpath":
        builder.groups["image"]["Subpath"] = value
    else:
        return False
    return True


def _take_bind(options: dict[str, object], key: str, value: str) -> bool:
    if key == "bind-propagation":
        options["Propagation"] = value.lower()
    elif key == "bind-nonrecursive":
        options["NonRecursive"] = _flag(key, value)
    elif key == "bind-recursive":
        if value not in _RECURSIVE:
            expected = '(must be "enabled", "disabled", "writable", or "readonly")'
            raise ValueError(f"invalid value for {key}: {value} {expected}")
        if value == "disabled":
            options["NonRecursive"] = True
        elif value == "writable":
            options["ReadOnlyNonRecursive"] = True
        elif value == "readonly":
            options["ReadOnlyForceRecursive"] = True
    else:
        return False
    return True


def _take_volume(builder: _Builder, key: str, value: str) -> bool:
    if key == "volume-nocopy":
        builder.group("volume")["NoCopy"] = _flag(key, value)
    elif key == "volume-subpath":
        builder.group("volume")["Subpath"] = value
    elif key == "volume-driver":
        builder.group("volume", "DriverConfig")["Name"] = value
    elif key in ("volume-label", "volume-opt"):
        path = ("Labels",) if key == "volume-label" else ("DriverConfig", "Options")
        name, _, content = value.partition("=")
        builder.group("volume", *path)[name] = content
    else:
        return False
    return True


def _take_tmpfs(options: dict[str, object], key: str, value: str) -> bool:
    try:
        if key == "tmpfs-size":
            options["SizeBytes"] = memory_bytes(value)
        elif key == "tmpfs-mode":
            options["Mode"] = parse_uint(value, 32, 8)
        else:
            return False
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None
    return True


def _flag(key: str, value: str) -> bool:
    try:
        return parse_bool(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _absolute(source: str) -> str:
    return os.path.abspath(source) if source == "." or source.startswith(("./", "../")) else source


def _finished(builder: _Builder) -> Mount:
    mount = builder.mount
    if not mount.get("Target"):
        raise ValueError("target is required")
    for name, field in _OPTION_GROUPS.items():
        options = builder.groups[name]
        if options and mount["Type"] != name:
            raise ValueError(f"cannot mix '{name}-*' options with mount type '{mount['Type']}'")
        if options:
            mount[field] = options
    _check_recursion(mount, builder.groups["bind"])
    return mount


def _check_recursion(mount: Mount, bind: dict[str, object]) -> None:
    wanted = (
        "readonly" if bind.get("ReadOnlyForceRecursive") else "writable" if bind.get("ReadOnlyNonRecursive") else ""
    )
    if wanted and not mount.get("ReadOnly"):
        raise ValueError(f"option 'bind-recursive={wanted}' requires 'readonly' to be specified in conjunction")
    if wanted == "readonly" and bind.get("Propagation") != "rprivate":
        raise ValueError(
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction"
        )
