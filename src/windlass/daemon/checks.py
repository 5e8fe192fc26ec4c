"""What is checked of a configuration before anything is opened, in dockerd's words."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from windlass.base.errors import InvalidParameter
from windlass.base.logging import is_level
from windlass.daemon.configuration import CGROUP_DRIVER, Configuration, parse_size
from windlass.distribution.endpoints import RegistrySettings, check_settings
from windlass.engine.containers.log_options import LOG_DRIVERS
from windlass.runtime.runtimes import check_default

_STORAGE_DRIVERS = frozenset({"overlay2", "overlayfs", "overlay"})
_MAX_PORT = 65535


def check(configuration: Configuration) -> None:
    """Refuse values that no part of the engine could use.

    Raises:
        InvalidParameter: with the option's name.
    """
    if not is_level(configuration.text("log-level")):
        raise InvalidParameter(f"unable to parse logging level: {configuration.text('log-level')}")
    if configuration.text("log-format") not in ("text", "json"):
        raise InvalidParameter(f"unknown log format: {configuration.text('log-format')}")
    if configuration.text("log-driver") not in LOG_DRIVERS:
        raise InvalidParameter(f"logger: no log driver named '{configuration.text('log-driver')}' is registered")
    if configuration.text("storage-driver") not in _STORAGE_DRIVERS:
        raise InvalidParameter(
            f"error initializing graphdriver: driver not supported: {configuration.text('storage-driver')}"
        )
    for flag in ("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "mtu"):
        if configuration.number(flag) < 1:
            raise InvalidParameter(f"invalid {flag.replace('-', ' ')}: {configuration.number(flag)}")
    for flag in ("data-root", "exec-root"):
        if not configuration.text(flag).startswith("/"):
            raise InvalidParameter(f"{flag} must be an absolute path: {configuration.text(flag)}")
    _ = configuration.shm_size_bytes, configuration.ulimits
    _check_exec_options(configuration.items("exec-opt"))
    check_default(configuration.runtimes)
    _check_lists(configuration)
    check_settings(RegistrySettings(configuration.items("registry-mirror"), configuration.items("insecure-registry")))
    if parse_size(configuration.text("audit-log-max-size")) < 1 or configuration.number("audit-log-max-file") < 1:
        raise InvalidParameter("audit-log-max-size and audit-log-max-file must be at least 1")
    if address := configuration.text("metrics-addr"):
        split_address(address)


def _check_lists(configuration: Configuration) -> None:
    """In the words of dockerd's flags, which its file has too."""
    for label in configuration.items("label"):
        key, separator, _ = label.partition("=")
        if not separator or not key:
            raise InvalidParameter(f"bad attribute format: {label}")
    for server in configuration.items("dns"):
        try:
            ipaddress.ip_address(server.strip())
        except ValueError:
            raise InvalidParameter(f"{server} is not an ip address") from None


def split_address(text: str) -> tuple[str, int]:
    """Return host and port of `ADDRESS:PORT`; without an address, of every one.

    Raises:
        InvalidParameter: it is none.
    """
    host, separator, port = text.rpartition(":")
    try:
        address = str(ipaddress.ip_address(host.strip("[]"))) if host else "0.0.0.0"
    except ValueError:
        address = "127.0.0.1" if host == "localhost" else ""
    if not separator or not port.isdecimal() or int(port) > _MAX_PORT or not address:
        raise InvalidParameter(f"invalid metrics-addr: {text}: it is no ADDRESS:PORT")
    return address, int(port)


def _check_exec_options(items: Iterable[str]) -> None:
    for item in items:
        key, separator, value = item.partition("=")
        if not separator:
            raise InvalidParameter(f'unable to parse exec-opt "{item}": it is no key=value')
        if key != CGROUP_DRIVER:
            raise InvalidParameter(f"unknown exec-opt {key}: there is {CGROUP_DRIVER}")
        if value not in ("cgroupfs", "systemd"):
            raise InvalidParameter(f"native.cgroupdriver option {value} not supported")
