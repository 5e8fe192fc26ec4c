"""Devices: host nodes, CDI names, GPU requests, cgroup rules.

Source: https://docs.docker.com/reference/cli/docker/container/run/#device and #gpus
"""

from __future__ import annotations

from windlass.cli.gotext import parse_int

ALL = -1
_PERMISSIONS = frozenset("rwm")
_CDI_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")


def devices(values: list[str]) -> tuple[list[object], list[object]]:
    """Sort the values of `--device` into Devices and CDI DeviceRequests; raises ValueError."""
    nodes: list[object] = []
    requests: list[object] = []
    names = [text for text in values if is_cdi_name(text)]
    for text in values:
        if text not in names:
            nodes.append(_device(text))
    if names:
        requests.append({"Driver": "cdi", "DeviceIDs": names})
    return nodes, requests


def is_cdi_name(text: str) -> bool:
    """Tell whether `text` is a qualified CDI name: `vendor.com/class=name`.

    Source: the Container Device Interface specification, "Kind" and "Device names".
    """
    kind, equals, name = text.partition("=")
    vendor, slash, device_class = kind.partition("/")
    parts = (vendor, device_class, name)
    return bool(equals and slash) and all(
        part and part[0].isalnum() and _CDI_LETTERS.issuperset(part) for part in parts
    )


def _device(text: str) -> dict[str, str]:
    parts = text.split(":")
    source = target = parts[0]
    permissions = "rwm"
    if len(parts) > 3:
        raise ValueError(f"bad format for path: {text}")
    if len(parts) == 2 and _is_permissions(parts[1]):
        permissions = parts[1]
    elif len(parts) >= 2:
        target = parts[1]
    if len(parts) == 3:
        permissions = parts[2]
        if not _is_permissions(permissions):
            raise ValueError(f"bad mode specified: {permissions}")
    for path in (target,):
        if not path.startswith("/"):
            raise ValueError(f"{path} is not an absolute path")
    return {"PathOnHost": source, "PathInContainer": target, "CgroupPermissions": permissions}


def _is_permissions(text: str) -> bool:
    return bool(text) and len(set(text)) == len(text) and _PERMISSIONS.issuperset(text)


def cgroup_rule(text: str) -> str:
    """Check one `--device-cgroup-rule`: `c 1:3 rwm`; raises ValueError."""
    kind, _, rest = text.partition(" ")
    numbers, _, permissions = rest.partition(" ")
    major, colon, minor = numbers.partition(":")
    well_formed = (
        kind in ("a", "b", "c")
        and bool(colon)
        and all(number == "*" or number.isdecimal() for number in (major, minor))
        and 1 <= len(permissions) <= 3
        and _PERMISSIONS.issuperset(permissions)
    )
    if well_formed:
        return text
    raise ValueError(f"invalid device cgroup format '{text}'")


def parse_gpus(text: str) -> dict[str, object]:
    """Parse `all`, a number, or `device=0,capabilities=...` into a DeviceRequest of the API; raises ValueError."""
    from windlass.cli.create.csv_line import split_fields

    request: dict[str, object] = {"Driver": "", "Count": 0, "DeviceIDs": [], "Capabilities": [], "Options": {}}
    seen: set[str] = set()
    for field in split_fields(text):
        key, equals, value = field.partition("=")
        if not equals:
            key, value = "count", field
        if key in seen:
            raise ValueError(f"gpu request key '{key}' can be specified only once")
        seen.add(key)
        if key == "driver":
            request["Driver"] = value
        elif key == "count":
            request["Count"] = _count(value)
        elif key == "device":
            request["DeviceIDs"] = split_fields(value)
        elif key == "capabilities":
            request["Capabilities"] = [[*split_fields(value), "gpu"]]
        elif key == "options":
            pairs = (option.partition("=") for option in split_fields(value))
            request["Options"] = {name: content for name, _, content in pairs}
        else:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
    if "count" not in seen and not request["DeviceIDs"]:
        request["Count"] = 1
    if not request["Capabilities"]:
        request["Capabilities"] = [["gpu"]]
    return {name: content for name, content in request.items() if content}


def _count(text: str) -> int:
    if text == "all":
        return ALL
    try:
        return parse_int(text, base=10)
    except ValueError as error:
        reason = str(error).rpartition(": ")[2]
        raise ValueError(f'invalid count ({text}): value must be either "all" or an integer: {reason}') from None
