"""Which OCI runtimes there are, and which one a container gets.

Our own is called `windlass`, and `runc` too unless that name is configured, because that is what clients and scripts
ask for when they want the default.

Source: docs.docker.com, "Alternative container runtimes"; the texts are dockerd's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.runtime.task import StartFailed

OWN = "windlass"
STOCK = "runc"
_STOCK_SHIM = "io.containerd.runc.v2"
# Shims that are nothing but a way to run a program with runc's command line.
_SHIMS = {_STOCK_SHIM: "runc", "io.containerd.runsc.v1": "runsc"}
_SHIM_PREFIX = "io.containerd."
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A configured runtime: its program, by path or by a name to be found in PATH, and arguments before the command.

    `systemd_cgroup`: it is to ask systemd for control groups, and is given names of that form.
    """

    path: str
    args: tuple[str, ...] = ()
    systemd_cgroup: bool = False

    def program(self) -> str:
        """Return the program's absolute path. Blocks.

        Raises:
            StartFailed: there is none.
        """
        found = shutil.which(self.path, path=os.environ.get("PATH", _DEFAULT_PATH))
        if found is None:
            reason = "stat: no such file or directory" if "/" in self.path else "executable file not found in $PATH"
            raise StartFailed(f'exec: "{self.path}": {reason}', 127)
        return os.path.abspath(found)


class RuntimeOptions(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    """The options of a `runtimeType` that can be had. Source: containerd, api/types/runc/options."""

    binary_name: str = ""
    systemd_cgroup: bool = False


class RuntimeEntry(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """One of `runtimes` in `daemon.json`."""

    path: str = ""
    runtime_args: list[str] | None = None
    runtime_type: str = ""
    options: RuntimeOptions | None = None


def parse_runtime(name: str, value: object) -> Runtime:
    """Return the runtime that an entry of `daemon.json` describes.

    Raises:
        InvalidParameter: it is malformed, or is a shim that is more than a program.
    """
    if not name or "/" in name or name.startswith("."):
        raise InvalidParameter(f"invalid runtime name: {name}")
    try:
        entry = msgspec.convert(value, RuntimeEntry)
    except msgspec.ValidationError as error:
        raise InvalidParameter(f"runtime {name}: {error}") from None
    if not entry.path and not entry.runtime_type:
        raise InvalidParameter(f"runtime {name}: either a runtimeType or a path must be configured")
    if entry.path:
        return _by_path(name, entry)
    return _by_type(name, entry)


def _by_path(name: str, entry: RuntimeEntry) -> Runtime:
    if entry.runtime_type:
        raise InvalidParameter(f"runtime {name}: cannot configure both path and runtimeType")
    if entry.options is not None:
        raise InvalidParameter(f"runtime {name}: options cannot be used with a path runtime")
    return Runtime(entry.path, tuple(entry.runtime_args or ()))


def _by_type(name: str, entry: RuntimeEntry) -> Runtime:
    if entry.runtime_args:
        raise InvalidParameter(f"runtime {name}: args cannot be used with a runtimeType runtime")
    if entry.runtime_type not in _SHIMS:
        raise InvalidParameter(f"runtime {name}: {_no_shim(entry.runtime_type)}")
    options = entry.options or RuntimeOptions()
    return Runtime(
        options.binary_name or _SHIMS[entry.runtime_type],
        ("--systemd-cgroup",) if options.systemd_cgroup else (),
        options.systemd_cgroup,
    )


def _no_shim(name: str) -> str:
    return f"containerd's shim {name} is not supported; configure the runtime's own program by its path"


@dataclass(frozen=True, slots=True)
class Runtimes:
    """All runtimes of one engine; `chosen` is the default that was configured, or empty."""

    configured: Mapping[str, Runtime] = field(default_factory=dict)
    chosen: str = ""

    @property
    def default(self) -> str:
        """The name of the runtime of containers that ask for none."""
        return self.chosen or (OWN if STOCK in self.configured else STOCK)

    def name_of(self, asked: str) -> str:
        """Return the name to keep of what a container asks for, empty for the default.

        Raises:
            InvalidParameter: there is none of that name.
        """
        name = asked or self.default
        if name not in self.configured and name in (OWN, _STOCK_SHIM) and STOCK not in self.configured:
            return STOCK
        self.get(name)
        return name

    def get(self, name: str) -> Runtime | None:
        """Return a runtime; None is our own.

        Raises:
            InvalidParameter: there is none of that name, any more.
        """
        if name in self.configured:
            return self.configured[name]
        if name in ("", OWN, STOCK, _STOCK_SHIM):
            return None
        if name in _SHIMS:
            return Runtime(_SHIMS[name])
        reason = f": {_no_shim(name)}" if name.startswith(_SHIM_PREFIX) else ""
        raise InvalidParameter(f"unknown or invalid runtime name: {name}{reason}")

    def shown(self) -> dict[str, dict[str, object]]:
        """Return what `docker info` shows: programs and arguments by name."""
        shown: dict[str, dict[str, object]] = {}
        for name in (STOCK, OWN):
            if name not in self.configured and not shown:
                shown[name] = {"path": OWN}
        for name, runtime in self.configured.items():
            shown[name] = {"path": runtime.path}
            if runtime.args:
                shown[name]["runtimeArgs"] = list(runtime.args)
        return shown


def check_default(runtimes: Runtimes) -> None:
    """Refuse a default that does not exist.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    try:
        runtimes.get(runtimes.default)
    except InvalidParameter as error:
        raise InvalidParameter(
            f"specified default runtime '{runtimes.chosen}' does not exist: {error.message}"
        ) from None
