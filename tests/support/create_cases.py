"""Command lines of `create` and what the stock command line makes of them, recorded in tests/golden/cli."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "golden" / "cli"
FILES = GOLDEN / "files"
RECORD = GOLDEN / "create_bodies.json"
ENVIRONMENT = {"HOME": "/home/somebody", "PATH": "/usr/local/bin:/usr/bin:/bin"}
OPERANDS = ["img", "cmd", "arg"]

# Fields of the API that are maps: an entry with an empty value still says something.
_MAPS = frozenset(
    (
        "ExposedPorts",
        "Volumes",
        "Tmpfs",
        "Labels",
        "StorageOpt",
        "Sysctls",
        "Annotations",
        "PortBindings",
        "Config",
        "Options",
        "DriverOpts",
        "EndpointsConfig",
    )
)
_EMPTY_COUNTS = frozenset(("MaskedPaths", "ReadonlyPaths"))
_ZERO_COUNTS = frozenset(("Init", "StopTimeout"))
_DEFAULTS: dict[str, Any] = {"MemorySwappiness": -1}


def cases() -> list[str]:
    """The flags of every case, one line each."""
    return (GOLDEN / "create_cases.txt").read_text().splitlines()


def words(case: str) -> list[str]:
    """The arguments of a case; FILES stands for the directory of sample files."""
    return [word.replace("FILES", str(FILES)) for word in shlex.split(case)] + OPERANDS


def recorded() -> dict[str, Any]:
    """What the stock command line did: case to {"target", "body"} or {"error"}."""
    parsed: dict[str, Any] = json.loads(RECORD.read_text())
    return parsed


def placed(text: str) -> str:
    """Return `text` with the directories of this machine replaced by their names."""
    return text.replace(str(FILES), "FILES").replace(str(Path.cwd()), "CWD")


def significant(value: Any, key: str = "") -> Any:
    """Return JSON without fields that keep the zero value the engine assumes anyway."""
    if isinstance(value, list):
        return [significant(item, key) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {name: significant(item, name) for name, item in value.items()}
    if key in _MAPS:
        return inner
    return {name: item for name, item in inner.items() if _says_something(name, item)}


def _says_something(name: str, item: Any) -> bool:
    if name in _ZERO_COUNTS:
        return item is not None
    if item == []:
        return name in _EMPTY_COUNTS
    if item in (None, "", 0, False, {}) or item == [0, 0]:
        return False
    return bool(item != _DEFAULTS.get(name))


def normal(body: Any) -> Any:
    """Return a request body in the form that is compared and recorded."""
    kept = significant(body)
    if kept.get("Labels") == {}:
        del kept["Labels"]
    if kept.get("Volumes") == {}:
        del kept["Volumes"]
    for field in ("PortBindings",):
        if kept.get("HostConfig", {}).get(field) == {}:
            del kept["HostConfig"][field]
    if kept.get("HostConfig", {}).get("LogConfig") == {"Config": {}}:
        del kept["HostConfig"]["LogConfig"]
    return json.loads(placed(json.dumps(kept)))
