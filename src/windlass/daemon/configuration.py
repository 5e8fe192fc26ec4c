"""From command line and `daemon.json` to one validated configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from windlass.base.errors import InvalidParameter
from windlass.daemon.options import BY_FLAG, BY_KEY, BY_SHORT, DEFAULT_HOST, NOT_IN_FILE, OPTIONS, Option
from windlass.runtime.runtimes import Runtime, Runtimes, parse_runtime
from windlass.spec.container import Ulimit

Value = str | bool | int | list[str] | dict[str, str] | dict[str, Runtime]

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_MAX_FILE_BYTES = 1 << 20
_SIZE_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
CGROUP_DRIVER = "native.cgroupdriver"


class BadFlag(InvalidParameter):
    """The command line is wrong; the message ends with where help is."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}\nSee 'windlassd --help'.")


class BadFile(InvalidParameter):
    """The configuration file is wrong."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"unable to configure the Docker daemon with file {path}: {message}")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every option's value by flag name, after defaults, file and command line; `given` names those that are said."""

    values: dict[str, Value] = field(default_factory=dict)
    given: frozenset[str] = frozenset()

    def text(self, flag: str) -> str:
        """A string option."""
        return str(self.values[flag])

    def switch(self, flag: str) -> bool:
        """A bool option."""
        return bool(self.values[flag])

    def number(self, flag: str) -> int:
        """An int option."""
        value = self.values[flag]
        assert isinstance(value, int)
        return value

    def items(self, flag: str) -> tuple[str, ...]:
        """A list option."""
        value = self.values[flag]
        assert isinstance(value, list)
        return tuple(value)

    def mapping(self, flag: str) -> dict[str, str]:
        """A map option."""
        return _texts(self.values[flag])

    @property
    def runtimes(self) -> Runtimes:
        """The OCI runtimes beside our own."""
        return Runtimes(_runtimes(self.values["add-runtime"]), self.text("default-runtime"))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where to listen."""
        return self.items("host") or (DEFAULT_HOST,)

    @property
    def systemd_cgroups(self) -> bool:
        """Whether systemd makes the containers' control groups."""
        return dict(item.partition("=")[::2] for item in self.items("exec-opt")).get(CGROUP_DRIVER) == "systemd"

    @property
    def pidfile(self) -> str:
        """The pid file; its default is under the exec root."""
        return self.text("pidfile") or f"{self.text('exec-root')}/windlassd.pid"

    @property
    def log_level(self) -> str:
        """The level, `debug` when debugging."""
        return "debug" if self.switch("debug") else self.text("log-level")

    @property
    def shm_size_bytes(self) -> int:
        """Default size of /dev/shm."""
        return parse_size(self.text("default-shm-size"))

    @property
    def ulimits(self) -> tuple[Ulimit, ...]:
        """Default limits."""
        return tuple(parse_ulimit(item) for item in self.items("default-ulimit"))


def load(argv: Sequence[str]) -> Configuration:
    """Parse the command line, read the file it names, and check the whole.

    Raises:
        BadFlag, BadFile, InvalidParameter: with dockerd's words.
    """
    # The checks know the configuration's shape.
    from windlass.daemon.checks import check

    flags = parse_flags(argv)
    path = str(flags.get("config-file") or BY_FLAG["config-file"].default)
    from_file = read_file(path, required="config-file" in flags)
    if runtimes := {**_runtimes(from_file.get("add-runtime")), **_runtimes(flags.get("add-runtime"))}:
        # Those of both count.
        from_file.pop("add-runtime", None)
        flags["add-runtime"] = runtimes
    twice = sorted(flag for flag in flags if flag in from_file)
    if twice:
        details = ", ".join(
            f"{BY_FLAG[flag].file_key}: (from flag: {_shown(flags[flag])}, from file: {_shown(from_file[flag])})"
            for flag in twice
        )
        raise BadFile(
            path, f"the following directives are specified both as a flag and in the configuration file: {details}"
        )
    values: dict[str, Value] = {option.flag: _default(option) for option in OPTIONS}
    configuration = Configuration({**values, **from_file, **flags}, frozenset((*from_file, *flags)))
    check(configuration)
    return configuration


def _shown(value: Value) -> str:
    """A value as Go prints it, which is what the messages of dockerd have."""
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{' '.join(value)}]"
        case dict():
            return f"map[{' '.join(f'{key}:{item}' for key, item in sorted(_texts(value).items()))}]"
        case _:
            return str(value)


def _texts(value: Value | None) -> dict[str, str]:
    """The items of a map option."""
    found = value if isinstance(value, dict) else {}
    return {key: item for key, item in found.items() if isinstance(item, str)}


def _runtimes(value: Value | None) -> dict[str, Runtime]:
    """The items of a runtime option."""
    found = value if isinstance(value, dict) else {}
    return {name: item for name, item in found.items() if isinstance(item, Runtime)}


def _default(option: Option) -> Value:
    match option.kind:
        case "bool":
            return option.default == "true"
        case "int":
            return int(option.default or 0)
        case "list" | "ulimit":
            return []
        case "map" | "runtime":
            return {}
        case _:
            return option.default


# --- command line ----------------------------------------------------------------------------------


def parse_flags(argv: Sequence[str]) -> dict[str, Value]:
    """Return the options given on the command line, by flag name.

    Raises:
        BadFlag: unknown flag, missing or malformed value, or an argument that is no flag.
    """
    values: dict[str, Value] = {}
    words = list(argv)
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, separator, text = word[2:].partition("=")
            option = BY_FLAG.get(name)
            if option is None:
                raise BadFlag(f"unknown flag: --{name}")
            _take(values, option, text if separator else None, words, f"--{name}")
        elif word.startswith("-") and len(word) > 1:
            _parse_short(values, word, words)
        else:
            raise BadFlag(f'"windlassd" accepts no arguments; got "{word}"')
    return values


def _parse_short(values: dict[str, Value], word: str, words: list[str]) -> None:
    rest = word[1:]
    while rest:
        option = BY_SHORT.get(rest[0])
        if option is None:
            raise BadFlag(f"unknown shorthand flag: '{rest[0]}' in {word}")
        name, rest = f"-{rest[0]}", rest[1:]
        if option.kind == "bool" and not rest.startswith("="):
            _take(values, option, None, words, name)
            continue
        _take(values, option, rest.removeprefix("=") if rest else None, words, name)
        return


def _take(values: dict[str, Value], option: Option, text: str | None, words: list[str], name: str) -> None:
    if text is None:
        if option.kind == "bool":
            values[option.flag] = True
            return
        if not words:
            raise BadFlag(f"flag needs an argument: {name}")
        text = words.pop(0)
    try:
        _store(values, option, text)
    except ValueError as error:
        raise BadFlag(f'invalid argument "{text}" for "{name}" flag: {error}') from None


def _store(values: dict[str, Value], option: Option, text: str) -> None:
    match option.kind:
        case "bool":
            if text not in _TRUE | _FALSE:
                raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')
            values[option.flag] = text in _TRUE
        case "int":
            if not text.removeprefix("-").isdecimal():
                raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
            values[option.flag] = int(text)
        case "list" | "ulimit":
            if option.kind == "ulimit":
                parse_ulimit(text)
            present = values.setdefault(option.flag, [])
            assert isinstance(present, list)
            present.append(text)
        case "map":
            key, separator, value = text.partition("=")
            if not separator:
                raise ValueError("must be formatted as key=value")
            values[option.flag] = {**_texts(values.get(option.flag)), key: value}
        case "runtime":
            _store_runtime(values, option, text)
        case _:
            values[option.flag] = text


def _store_runtime(values: dict[str, Value], option: Option, text: str) -> None:
    name, separator, path = text.partition("=")
    name, path = name.strip(), path.strip()
    if not separator or not name or not path:
        raise ValueError(f"invalid runtime argument: {text}")
    if name in (present := _runtimes(values.get(option.flag))):
        raise ValueError(f"runtime '{name}' was already defined")
    values[option.flag] = {**present, name: parse_runtime(name, {"path": path})}


# --- file ------------------------------------------------------------------------------------------


def read_file(path: str, *, required: bool) -> dict[str, Value]:
    """Return the options of `daemon.json`, by flag name; a default file that is absent is empty.

    Raises:
        BadFile: unreadable, not JSON, unknown directives, or values of a wrong type.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        if required:
            raise BadFile(path, f"open {path}: no such file or directory") from None
        return {}
    except OSError as error:
        raise BadFile(path, f"open {path}: {os.strerror(error.errno or 0).lower()}") from None
    if len(data) > _MAX_FILE_BYTES:
        raise BadFile(path, f"larger than {_MAX_FILE_BYTES} bytes")
    if not data.strip():
        return {}
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:
        raise BadFile(path, str(error)) from None
    if not isinstance(content, dict):
        raise BadFile(path, "the file is not a JSON object")
    unknown = sorted(key for key in content if key not in BY_KEY or BY_KEY[key].flag in NOT_IN_FILE)
    if unknown:
        raise BadFile(path, f"the following directives don't match any configuration option: {', '.join(unknown)}")
    return {BY_KEY[key].flag: _from_json(path, BY_KEY[key], value) for key, value in content.items()}


def _from_json(path: str, option: Option, value: object) -> Value:
    if option.kind == "ulimit" and isinstance(value, dict):
        return [_ulimit_text(name, limit) for name, limit in value.items()]
    if option.kind == "runtime" and isinstance(value, dict):
        return {str(name): parse_runtime(str(name), item) for name, item in value.items()}
    if option.kind == "map" and isinstance(value, dict):
        return {str(key): str(item) for key, item in value.items()}
    if option.kind in ("list", "ulimit") and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    if option.kind == "bool" and isinstance(value, bool):
        return value
    if option.kind == "int" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if option.kind == "string" and isinstance(value, str):
        return value
    raise BadFile(path, f"directive {option.file_key} wants a {option.kind}")


def _ulimit_text(name: str, limit: object) -> str:
    if isinstance(limit, dict):
        soft, hard = limit.get("Soft", 0), limit.get("Hard", 0)
        return f"{limit.get('Name', name)}={soft}:{hard}"
    return f"{name}={limit}"


# --- values ----------------------------------------------------------------------------------------


def parse_size(text: str) -> int:
    """Return the bytes of `64m`, `64MiB`, `1g`, `1024`.

    Raises:
        InvalidParameter: not a size.
    """
    lowered = text.strip().lower()
    digits = lowered.rstrip("bikmgt ")
    unit = lowered[len(digits) :].strip().removesuffix("ib").removesuffix("b") or ""
    if not digits.isdecimal() or unit not in _SIZE_UNITS:
        raise InvalidParameter(f"invalid size: '{text}'")
    return int(digits) * _SIZE_UNITS[unit]


def parse_ulimit(text: str) -> Ulimit:
    """Return the limit of `name=soft[:hard]`.

    Raises:
        ValueError: malformed.
    """
    name, separator, limits = text.partition("=")
    soft, _, hard = limits.partition(":")
    numbers = (soft, hard or soft)
    if not separator or not all(number.removeprefix("-").isdecimal() for number in numbers):
        raise ValueError(f"invalid ulimit argument: {text}")
    return Ulimit(name, int(numbers[0]), int(numbers[1]))
