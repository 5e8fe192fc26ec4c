"""From the bytes of a bundle's documents to typed values, or to one error that names the member and the clause.

First the shape of what was decoded (`validate_schema`), then what the members say together (`validate_rules` and its
neighbours), last what this host has (`validate_host`). Rules of rare sections are imported when a document has one: a
runtime lives for milliseconds.

Source: runtime-spec config.md, "Valid values"; runtime.md, "Errors", "Warnings".
"""

from __future__ import annotations

import sys

from windlass.base.cold_json import loads
from windlass.base.errors import InvalidParameter
from windlass.runtime.oci import validate_schema as schema
from windlass.runtime.oci.validate_fault import Fault
from windlass.runtime.oci.validate_host import check_host, check_labels
from windlass.runtime.oci.validate_rules import check_process, check_spec
from windlass.runtime.oci.validate_shape import check_shape
from windlass.spec.resources import LinuxResources
from windlass.spec.runtime import Process, RuntimeSpec
from windlass.spec.struct import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from windlass.runtime.oci.validate_shape import Kind

_FOREIGN = ("windows", "solaris", "vm", "zos", "freebsd")


def ignore(_warning: str) -> None:
    """Drop a warning."""


def parse_config(data: bytes, warn: Callable[[str], None] = ignore, document: str = "config.json") -> RuntimeSpec:
    """Return a whole configuration; `warn` hears of what is ignored.

    Raises:
        InvalidParameter: it breaks the specification.
        NotSupported: it keeps to it, and this host or this runtime cannot do it.
    """

    def check(spec: RuntimeSpec) -> None:
        check_spec(spec, warn)
        check_host(spec)

    raw = _decoded(data, document)
    spec: RuntimeSpec = _checked(raw, schema.CONFIG, RuntimeSpec, check, document, "")
    for name in _FOREIGN:
        if raw.get(name) is not None:
            warn(f"{document}: /{name}: is not for Linux and is ignored")
    assert spec.process is not None
    return replace(spec, process=_by_numbers(spec.process))


def parse_process(data: bytes, warn: Callable[[str], None] = ignore, document: str = "process.json") -> Process:
    """Return the process of an `exec`; raises as `parse_config`."""

    def check(process: Process) -> None:
        check_process(process, "", warn)
        check_labels(process, "")

    process: Process = _checked(_decoded(data, document), schema.PROCESS, Process, check, document, "/process")
    return _by_numbers(process)


def parse_resources(data: bytes, document: str = "resources") -> LinuxResources:
    """Return the limits of an `update`; raises as `parse_config`."""
    from windlass.runtime.oci.validate_resources import check_resources

    def check(resources: LinuxResources) -> None:
        check_resources(resources, "")

    raw = _decoded(data, document)
    made: LinuxResources = _checked(raw, schema.RESOURCES, LinuxResources, check, document, "/linux/resources")
    return made


def _by_numbers(process: Process) -> Process:
    """Forget the user's name: it is for other systems, here the numbers are final."""
    return replace(process, user=replace(process.user, username="", additional_groups=[]))


def _decoded(data: bytes, document: str) -> Any:
    try:
        return loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"{document}: is not JSON: {error}") from None


def _checked(raw: Any, kind: Kind, wanted: type, check: Callable[[Any], None], document: str, base: str) -> Any:
    """Check and convert; `base` is where the document would stand in a `config.json`."""
    try:
        check_shape(raw, kind, "")
        value = _typed(raw, wanted)
        check(value)
    except Fault as fault:
        raise fault.error(document, base) from None
    except RecursionError:
        raise InvalidParameter(f"{document}: is nested too deeply") from None
    return value


def _typed(raw: Any, wanted: type) -> Any:
    if "windlass.base.cold" in sys.modules:
        from windlass.spec.light import convert

        return convert(raw, wanted)
    import msgspec

    return msgspec.convert(_without_nulls(raw), wanted)


def _without_nulls(raw: Any) -> Any:
    if type(raw) is dict:
        return {key: _without_nulls(item) for key, item in raw.items() if item is not None}
    if type(raw) is list:
        return [_without_nulls(item) for item in raw]
    return raw
