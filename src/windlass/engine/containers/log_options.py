"""Log drivers and their options: checked when a container is made, in dockerd's words.

What dockerd finds out only at the start, as a size that is none, is refused here as well.

Source: docker documentation, "Configure logging drivers" and its pages for each driver; texts of dockerd's validation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from windlass.base.errors import InvalidParameter
from windlass.engine.containers.log_tags import check_tag
from windlass.engine.settings import EngineSettings
from windlass.launch.log_facilities import facility_number
from windlass.spec.container import HostConfig, LogConfig

T = TypeVar("T")

# A log without a limit fills the disk: what no one chose is limited.
DEFAULT_ROTATION = {"max-size": "10m", "max-file": "5"}
REMOTE_DRIVERS = ("fluentd", "gelf", "journald", "syslog")
LOG_DRIVERS = ("json-file", "local", "none", *REMOTE_DRIVERS)
_DELIVERY = ("mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress")
_CHOICE = ("labels", "labels-regex", "env", "env-regex", "tag")
_KEYS = {
    "json-file": (*_CHOICE, "max-file", "max-size", "compress"),
    "local": (*_CHOICE, "max-file", "max-size", "compress"),
    "journald": _CHOICE,
    "syslog": (
        *_CHOICE, "syslog-address", "syslog-facility", "syslog-format",
        "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key", "syslog-tls-skip-verify",
    ),
    "gelf": (
        *_CHOICE, "gelf-address", "gelf-compression-type", "gelf-compression-level",
        "gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay",
    ),
    "fluentd": (
        *_CHOICE, "fluentd-address", "fluentd-async", "fluentd-async-connect", "fluentd-buffer-limit",
        "fluentd-max-retries", "fluentd-request-ack", "fluentd-retry-wait", "fluentd-sub-second-precision",
    ),
}  # fmt: skip
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
_SIZE = re.compile(r"\A(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([^\d.]*)")
_DURATION_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_MAX_PORT = 65535


def complete_log(host: HostConfig, settings: EngineSettings) -> None:
    """Fill in the daemon's log driver and options, in place.

    Raises:
        InvalidParameter: an unknown driver or option, or a value that it does not take.
    """
    given = host.log_config
    kind = given.type or settings.log_driver
    config = dict(given.config or {})
    if kind == settings.log_driver:
        config = {**settings.log_options, **config}
    elif kind == "json-file":
        config = {**DEFAULT_ROTATION, **config}
    check_log_options(kind, config)
    host.log_config = LogConfig(kind, config)


def check_log_options(driver: str, options: Mapping[str, str]) -> None:
    """Refuse what a driver does not take.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    if driver == "none":
        return
    if driver not in LOG_DRIVERS:
        raise InvalidParameter(f"logger: no log driver named '{driver}' is registered")
    _check_delivery(options)
    _check_keys(driver, options)
    for name in ("labels-regex", "env-regex"):
        _check_expression(options.get(name, ""))
    check_tag(options.get("tag", ""))
    _CHECKS[driver](options)


def _check_delivery(options: Mapping[str, str]) -> None:
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidParameter(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" in options:
        if mode != "non-blocking":
            raise InvalidParameter("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
        _worded("error parsing option max-buffer-size", log_size, options["max-buffer-size"])
    disabled = options.get("cache-disabled", "")
    if disabled and disabled not in _TRUE + _FALSE:
        raise InvalidParameter(f"invalid value for option cache-disabled: {disabled}")
    _check_file(_cache_options(options), "local")


def _cache_options(options: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("cache-"): value for key, value in options.items() if key.startswith("cache-")}


def _check_keys(driver: str, options: Mapping[str, str]) -> None:
    for option in options:
        if option in _DELIVERY or option in _KEYS[driver]:
            continue
        if driver == "local":
            raise InvalidParameter(f"unknown log opt '{option}' for log driver local")
        raise InvalidParameter(f"unknown log opt '{option}' for {driver} log driver")


def _check_expression(text: str) -> None:
    try:
        re.compile(text)
    except re.error as error:
        raise InvalidParameter(f"error parsing regexp: {error}: `{text}`") from None


def _worded(words: str, convert: Callable[[str], T], text: str) -> T:
    try:
        return convert(text)
    except InvalidParameter as error:
        raise InvalidParameter(f"{words}: {error.message}") from None


@dataclass(frozen=True, slots=True)
class Rotation:
    """How a log file rotates: `max_size` in bytes, 0 for never."""

    max_size: int
    max_file: int
    compress: bool


def rotation(options: Mapping[str, str], driver: str) -> Rotation:
    """Return how `max-size`, `max-file` and `compress` say that a `json-file` or `local` log rotates.

    What rotates is compressed unless told otherwise.

    Raises:
        InvalidParameter: they contradict each other, or are none.
    """
    if driver == "local":
        return _local_rotation(options)
    max_size = log_size(options.get("max-size", ""))
    max_file = go_int(options.get("max-file", "") or "1")
    if max_file < 1:
        raise InvalidParameter("max-file cannot be less than 1")
    possible = max_file > 1 and max_size > 0
    compress = parse_bool(options["compress"]) if options.get("compress") else possible
    if compress and not possible:
        raise InvalidParameter("compress cannot be true when max-file is less than 2 or max-size is not set")
    return Rotation(max_size, max_file, compress)


def _local_rotation(options: Mapping[str, str]) -> Rotation:
    max_size, max_file = options.get("max-size", ""), options.get("max-file", "")
    size = _worded(f"invalid value for max-size: {max_size}", _positive_size, max_size or "20m")
    count = _worded(f"invalid value for max-file: {max_file}", go_int, max_file or "5")
    compress = count > 1
    if options.get("compress"):
        compress = _worded("error reading compress log option", parse_bool, options["compress"])
    if count < 1:
        raise InvalidParameter("max file count cannot be less than 1")
    if compress and count < 2:
        raise InvalidParameter("compression cannot be enabled when max file count is 1")
    return Rotation(size, count, compress)


def _check_file(options: Mapping[str, str], driver: str) -> None:
    rotation(options, driver)


def cache_rotation(options: Mapping[str, str]) -> Rotation | None:
    """Return how the local copy of a remote driver's log rotates; None when there is to be none."""
    if parse_bool(options.get("cache-disabled") or "false"):
        return None
    return rotation(_cache_options(options), "local")


def _check_syslog(options: Mapping[str, str]) -> None:
    address = options.get("syslog-address", "")
    scheme, separator, place = address.partition("://")
    if address and (not separator or scheme not in ("udp", "tcp", "tcp+tls", "unix", "unixgram")):
        raise InvalidParameter(f"syslog-address should be in form proto://address, got {address}")
    if scheme in ("unix", "unixgram"):
        try:
            os.stat(place)
        except OSError as error:
            raise InvalidParameter(f"stat {place}: {(error.strerror or '').lower()}") from None
    elif address:
        _check_port(place, "syslog-address", address)
    try:
        facility_number(options.get("syslog-facility", ""))
    except ValueError as error:
        raise InvalidParameter(str(error)) from None
    if options.get("syslog-format", "") not in ("", "rfc3164", "rfc5424", "rfc5424micro"):
        raise InvalidParameter("Invalid syslog format")


def _check_port(place: str, option: str, address: str) -> None:
    port = place.rpartition("]")[2].rpartition(":")[2] if ":" in place.rpartition("]")[2] else ""
    if port and not (port.isdecimal() and int(port) <= _MAX_PORT):
        raise InvalidParameter(f'invalid {option} {address}: strconv.Atoi: parsing "{port}": invalid syntax')


def _check_gelf(options: Mapping[str, str]) -> None:
    address = options.get("gelf-address", "")
    if not address:
        raise InvalidParameter("gelf-address is a required parameter")
    scheme, separator, place = address.partition("://")
    if not separator or scheme not in ("udp", "tcp"):
        raise InvalidParameter(f"gelf-address should be in form proto://address, got {address}")
    if not place.rpartition("]")[2].rpartition(":")[2].isdecimal():
        raise InvalidParameter("gelf: please provide gelf-address as proto://host:port")
    _check_port(place, "gelf-address", address)
    _check_gelf_values(options, scheme)


def _check_gelf_values(options: Mapping[str, str], scheme: str) -> None:
    for option, allowed in (
        ("gelf-compression-type", ("gzip", "zlib", "none")),
        ("gelf-compression-level", tuple(str(level) for level in range(-1, 10))),
    ):
        if option in options:
            if scheme != "udp":
                raise InvalidParameter("compression is only supported on UDP")
            if options[option] not in allowed:
                raise InvalidParameter(f'unknown value "{options[option]}" for log opt "{option}" for gelf log driver')
    for option in ("gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"):
        if option in options:
            if scheme != "tcp":
                raise InvalidParameter(f'"{option}" is only valid for TCP')
            if not options[option].isdecimal():
                raise InvalidParameter(f'"{option}" must be a positive integer')


def _check_fluentd(options: Mapping[str, str]) -> None:
    address = options.get("fluentd-address", "")
    scheme, separator, place = address.rpartition("://")
    if not separator:
        if place.partition(":")[0] in ("http", "https"):
            raise InvalidParameter(f"invalid fluentd-address {address}")
    elif scheme not in ("tcp", "tls", "unix"):
        raise InvalidParameter(f"invalid fluentd-address {address}: unsupported scheme: {scheme}")
    if scheme != "unix":
        _check_port(place, "fluentd-address", address)
    for option in ("fluentd-async", "fluentd-async-connect", "fluentd-request-ack", "fluentd-sub-second-precision"):
        if options.get(option):
            parse_bool(options[option])
    if options.get("fluentd-async") and options.get("fluentd-async-connect"):
        raise InvalidParameter("conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect'")
    if options.get("fluentd-buffer-limit"):
        _positive_size(options["fluentd-buffer-limit"])
    if options.get("fluentd-retry-wait"):
        go_duration_ns(options["fluentd-retry-wait"])
    retries = options.get("fluentd-max-retries", "")
    if retries and not retries.isdecimal():
        raise InvalidParameter(f'strconv.ParseUint: parsing "{retries}": invalid syntax')


_CHECKS: dict[str, Callable[[Mapping[str, str]], None]] = {
    "json-file": lambda options: _check_file(options, "json-file"),
    "local": lambda options: _check_file(options, "local"),
    "journald": lambda options: None,
    "syslog": _check_syslog,
    "gelf": _check_gelf,
    "fluentd": _check_fluentd,
}


def parse_bool(text: str) -> bool:
    """Return a truth value as Go's strconv.ParseBool does. Raises `InvalidParameter`."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise InvalidParameter(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def go_int(text: str) -> int:
    """Return a number as Go's strconv.Atoi does. Raises `InvalidParameter`."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise InvalidParameter(f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def go_duration_ns(text: str) -> int:
    """Return a duration in nanoseconds as Go's time.ParseDuration does; none is negative. Raises `InvalidParameter`."""
    if text == "0":
        return 0
    position, total = 0, 0.0
    for match in _DURATION_PART.finditer(text):
        if match.start() != position:
            break
        if not match[2]:
            raise InvalidParameter(f'time: missing unit in duration "{text}"')
        if match[2] not in _DURATION_NS:
            raise InvalidParameter(f'time: unknown unit "{match[2]}" in duration "{text}"')
        total += float(match[1]) * _DURATION_NS[match[2]]
        position = match.end()
    if not text or position != len(text):
        raise InvalidParameter(f'time: invalid duration "{text}"')
    return int(total)


def _positive_size(text: str) -> int:
    if text.startswith("-"):
        raise InvalidParameter(f"invalid size: '{text}'")
    return log_size(text)


def log_size(text: str) -> int:
    """Return a log option's size in bytes: a number with k, m, g, t or p; empty and -1 are unlimited (0).

    Raises:
        InvalidParameter: not a size.
    """
    if text in ("", "-1"):
        return 0
    match = _SIZE.match(text)
    if match is None:
        raise InvalidParameter(f"invalid size: '{text}'")
    return int(float(match[1]) * _UNITS[match[2].lower()])
