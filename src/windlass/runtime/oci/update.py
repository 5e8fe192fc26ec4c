"""`update`: limits of a container that runs.

Source: runc-update(8).
"""

from __future__ import annotations

import os

from windlass.base.errors import Conflict, InvalidParameter, NotSupported
from windlass.runtime.oci import state as states
from windlass.runtime.oci.arguments import exactly
from windlass.spec.light import convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from windlass.runtime.oci.arguments import Values
    from windlass.runtime.oci.call import Call
    from windlass.spec.resources import LinuxResources

_MAX_BYTES = 1 << 20
_UNITS = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}

# Option: section and member of the resources. A number is passed on, sizes have units, texts are as they are.
_SIZES = {
    "memory": "limit",
    "memory-reservation": "reservation",
    "memory-swap": "swap",
    "kernel-memory": "kernel",
    "kernel-memory-tcp": "kernelTCP",
}
_CPU_NUMBERS = {
    "cpu-period": "period",
    "cpu-quota": "quota",
    "cpu-burst": "burst",
    "cpu-share": "shares",
    "cpu-rt-period": "realtimePeriod",
    "cpu-rt-runtime": "realtimeRuntime",
    "cpu-idle": "idle",
}
_CPU_TEXTS = {"cpuset-cpus": "cpus", "cpuset-mems": "mems"}


def update(call: Call) -> int:
    """Change what was said and leave the rest."""
    exactly(call.words, 1, "update")
    directory = states.Directory.open(call.root, call.words[0])
    try:
        state = directory.state()
        if states.status(directory, state, locked=True) in ("stopped", "creating"):
            raise Conflict("container not running")
        resources = _resources(call)
        l3_schema, bandwidth_schema = call.values.text("l3-cache-schema"), call.values.text("mem-bw-schema")
        if (l3_schema or bandwidth_schema) and not state.rdt:
            raise NotSupported("Intel RDT: the container has no resctrl group")
        from windlass.runtime.oci.groups import open_group

        missing = open_group(state).update(resources)
        if missing:
            first = missing[0]
            raise NotSupported(f"{first.field}: cannot be set on this host: {first.reason}")
        if l3_schema or bandwidth_schema:
            from windlass.runtime.oci.rdt import change_group

            change_group(state.rdt, l3_schema, bandwidth_schema)
    finally:
        directory.unlock()
    return 0


def _resources(call: Call) -> LinuxResources:
    """Return what to change. With a file the other options are ignored, as runc does."""
    from windlass.spec.resources import LinuxResources

    if path := call.values.text("resources"):
        from windlass.runtime.oci.validate import parse_resources

        return parse_resources(_read(path))
    made: LinuxResources = convert(resources_of(call.values), LinuxResources)
    return made


def _read(path: str) -> bytes:
    fd = os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InvalidParameter(f"{path} is larger than {_MAX_BYTES} bytes")
    return data


def resources_of(values: Values) -> dict[str, Any]:
    """Return the resources that options ask for, as their JSON would be.

    Raises:
        InvalidParameter: a size is none.
    """
    cpu: dict[str, Any] = {_CPU_NUMBERS[name]: values.number(name) for name in _CPU_NUMBERS if values.given(name)}
    cpu.update({_CPU_TEXTS[name]: values.text(name) for name in _CPU_TEXTS if values.given(name)})
    memory = {_SIZES[name]: size(values.text(name), name) for name in _SIZES if values.given(name)}
    made: dict[str, Any] = {}
    if cpu:
        made["cpu"] = cpu
    if memory:
        made["memory"] = memory
    if values.given("blkio-weight"):
        made["blockIO"] = {"weight": values.number("blkio-weight")}
    if values.given("pids-limit"):
        made["pids"] = {"limit": values.number("pids-limit")}
    return made


def size(text: str, option: str) -> int:
    """Return bytes; `text` has a unit of 1024 or none, -1 is no limit.

    Raises:
        InvalidParameter: it is not a size.
    """
    if text == "-1":
        return -1
    number = text.lower().removesuffix("ib").removesuffix("b")
    unit = number[-1:] if number[-1:].isalpha() else ""
    digits = number.removesuffix(unit)
    if unit not in _UNITS or not digits.isdecimal() or len(digits) > 19:
        raise InvalidParameter(f"invalid value for {option}: invalid size: '{text}'")
    return int(digits) << _UNITS[unit]
