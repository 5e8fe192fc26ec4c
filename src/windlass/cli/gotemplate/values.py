"""Go's view of JSON: which objects are maps and which are structs, and how values print.

The Engine API's types are structs with a few maps in them; both are objects in JSON. They print differently, and a
missing entry of a map is empty where a missing field of a struct is an error, so the names of the maps are listed.
"""

from __future__ import annotations

MAP_FIELDS = frozenset(
    (
        "Labels",
        "Annotations",
        "Sysctls",
        "Options",
        "Opts",
        "DriverOpts",
        "Volumes",
        "ExposedPorts",
        "Ports",
        "PortBindings",
        "Tmpfs",
        "StorageOpt",
        "Config",
        "Networks",
        "EndpointsConfig",
        "Containers",
        "Data",
        "Attributes",
        "Runtimes",
        "AuxiliaryAddresses",
        "Details",
    )
)
_STRUCTS_NAMED_AS_MAPS = frozenset(("Config",))
# Fields the engine leaves out, or sends as null, when they hold nothing: pointers.
POINTER_FIELDS = frozenset(
    (
        "Health",
        "Healthcheck",
        "Init",
        "PidsLimit",
        "OomKillDisable",
        "MemorySwappiness",
        "IPAMConfig",
        "StopTimeout",
        "SizeRw",
        "SizeRootFs",
    )
)
# Fields the engine leaves out when they are empty: lists and texts.
OMITTED_FIELDS = frozenset(
    (
        "Mounts",
        "Shell",
        "OnBuild",
        "ArgsEscaped",
        "StopSignal",
        "ExecIDs",
        "Descriptor",
        "Platform",
    )
)


class Struct(dict[str, object]):
    """A JSON object that stands for a Go struct."""


class NilMap(dict[str, object]):
    """A map that is null in JSON."""


class NilList(list[object]):
    """A list that is null in JSON."""


def typed(value: object, field: str = "", parent: str = "") -> object:
    """Return JSON with its objects told apart into maps and structs, `field` being the name it was found under."""
    if isinstance(value, dict):
        is_map = field in MAP_FIELDS and not (field in _STRUCTS_NAMED_AS_MAPS and parent != "LogConfig")
        if is_map:
            return {key: NilList() if item is None else typed(item) for key, item in value.items()}
        return Struct((key, _field(item, key, field)) for key, item in value.items())
    if isinstance(value, list):
        return [typed(item, "", field) for item in value]
    return value


def _field(item: object, key: str, parent: str) -> object:
    if item is not None:
        return typed(item, key, parent)
    if key in POINTER_FIELDS:
        return None
    return NilMap() if key in MAP_FIELDS else NilList()


def plain(value: object) -> object:
    """Return the value ready for JSON text: maps sorted by key, empty stand-ins null."""
    if isinstance(value, NilMap | NilList):
        return None
    if isinstance(value, Struct):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    as_row = getattr(value, "as_dict", None)
    return plain(as_row()) if callable(as_row) else str(value)


def is_true(value: object) -> bool:
    """Go's truth: not the zero value, not empty; a struct is always true."""
    return True if isinstance(value, Struct) else bool(value)


def printed(value: object) -> str:
    """Return the value as Go's fmt prints it with %v."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Struct):
        return "{" + " ".join(map(printed, value.values())) + "}"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{printed(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(printed, value)) + "]"
    if isinstance(value, float):
        return _float(value)
    return str(value)


def _float(value: float) -> str:
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:]:0>2}" if e else mantissa
