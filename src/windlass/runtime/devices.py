"""Devices of a container: nodes to make, and rules of what may be opened.

Source: Docker Engine API, HostConfig.Devices and DeviceCgroupRules; runtime-spec config-linux.md, "Devices".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from windlass.base.errors import InvalidParameter, NotSupported
from windlass.runtime.intent import ContainerIntent, HostDevice
from windlass.spec.resources import LinuxDeviceCgroup
from windlass.spec.runtime import Device

_ALL = "rwm"
_WILDCARD = -1
_RULE = re.compile(r"\A([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})\Z")

# The container default devices and the console; /dev/fuse is denied by name, for whoever widens the rules.
DEFAULT_RULES: tuple[LinuxDeviceCgroup, ...] = (
    LinuxDeviceCgroup(False, access=_ALL),
    LinuxDeviceCgroup(True, "c", 1, 5, _ALL),
    LinuxDeviceCgroup(True, "c", 1, 3, _ALL),
    LinuxDeviceCgroup(True, "c", 1, 9, _ALL),
    LinuxDeviceCgroup(True, "c", 1, 8, _ALL),
    LinuxDeviceCgroup(True, "c", 5, 0, _ALL),
    LinuxDeviceCgroup(True, "c", 5, 1, _ALL),
    LinuxDeviceCgroup(False, "c", 10, 229, _ALL),
)
_EVERYTHING = (LinuxDeviceCgroup(True, access=_ALL),)


def lower_devices(intent: ContainerIntent) -> tuple[list[Device], list[LinuxDeviceCgroup]]:
    """Return the nodes to make beside the default ones, and the rules.

    Raises:
        InvalidParameter: a malformed rule.
        NotSupported: devices by driver (GPUs).
    """
    host = intent.host_config
    for request in host.device_requests or ():
        kinds = " ".join(f"[{' '.join(group)}]" for group in request.capabilities or ())
        raise NotSupported(f'could not select device driver "{request.driver}" with capabilities: [{kinds}]')
    nodes = [_node(device) for device in intent.devices]
    if host.privileged:
        return nodes, list(_EVERYTHING)
    rules = [*DEFAULT_RULES]
    rules += [_rule(device) for device in intent.devices if device.kind != "p"]
    rules += parse_device_rules(host.device_cgroup_rules or ())
    return nodes, rules


def parse_device_rules(rules: Iterable[str]) -> list[LinuxDeviceCgroup]:
    """Read rules such as `c 1:3 rwm` or `b *:* m`.

    Raises:
        InvalidParameter: malformed.
    """
    parsed = []
    for rule in rules:
        match = _RULE.match(rule)
        if match is None:
            raise InvalidParameter(f"invalid device cgroup rule format: '{rule}'")
        kind, major, minor, access = match.groups()
        parsed.append(LinuxDeviceCgroup(True, kind, _number(major), _number(minor), access))
    return parsed


def _number(text: str) -> int:
    return _WILDCARD if text == "*" else int(text)


def _node(device: HostDevice) -> Device:
    return Device(device.path, device.kind, device.major, device.minor, device.mode, device.uid, device.gid)


def _rule(device: HostDevice) -> LinuxDeviceCgroup:
    return LinuxDeviceCgroup(True, device.kind, device.major, device.minor, device.access or _ALL)
