"""`--security-opt`: what it says, and the system call filter that follows.

Source: Docker, "Security configuration".
"""

from __future__ import annotations

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.runtime.intent import ContainerIntent, DaemonDefaults, HostFacts
from windlass.seccomp.profile import HostTraits, parse_profile, resolve_default, resolve_profile
from windlass.spec.container import HostConfig
from windlass.spec.seccomp import LinuxSeccomp

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_UNCONFINED = "unconfined"
_BUILTIN = frozenset({"", "builtin", "default"})
SYSTEM_PATHS_UNCONFINED = "systempaths=unconfined"


class SecurityOptions(msgspec.Struct, frozen=True):
    """What the options come to; `seccomp` is `unconfined`, empty for the default, or a profile's JSON.

    `apparmor` is a profile that the host has loaded, `unconfined`, or empty for none. `system_paths` is False when
    nothing shall be masked; `writable_cgroups` is None when not said.
    """

    no_new_privileges: bool = False
    seccomp: str = ""
    apparmor: str = ""
    system_paths: bool = True
    writable_cgroups: bool | None = None


def parse_security_options(host_config: HostConfig, defaults: DaemonDefaults, facts: HostFacts) -> SecurityOptions:
    """Read the options.

    Labels and AppArmor profiles are ignored on hosts without SELinux and AppArmor, as Docker does.

    Raises:
        InvalidParameter: malformed or unknown option.
    """
    found: dict[str, object] = {"no_new_privileges": defaults.no_new_privileges}
    for option in host_config.security_opt or ():
        if option == "no-new-privileges":
            found["no_new_privileges"] = True
        elif option != "disable":
            _parse_one(option, found)
    if not facts.apparmor:
        found.pop("apparmor", None)
    return msgspec.convert(found, SecurityOptions)


def _parse_one(option: str, found: dict[str, object]) -> None:
    separator = "=" if "=" in option else ":"
    key, present, value = option.partition(separator)
    if not present:
        raise InvalidParameter(f'invalid --security-opt 1: "{option}"')
    if key in ("seccomp", "apparmor"):
        found[key] = value
    elif key in ("no-new-privileges", "writable-cgroups"):
        if value not in _TRUE | _FALSE:
            raise InvalidParameter(f'invalid --security-opt 2: "{option}"')
        found[key.replace("-", "_")] = value in _TRUE
    elif option == SYSTEM_PATHS_UNCONFINED:
        found["system_paths"] = False
    elif key != "label":
        raise InvalidParameter(f'invalid --security-opt 2: "{option}"')


def lower_seccomp(intent: ContainerIntent, options: SecurityOptions, bounding: list[str]) -> LinuxSeccomp | None:
    """Return the filter of a container; None for an unconfined or privileged one.

    Raises:
        InvalidParameter: the profile is malformed.
    """
    if intent.host_config.privileged:
        return None
    profile = options.seccomp or intent.defaults.seccomp_profile
    if profile == _UNCONFINED:
        return None
    host = HostTraits(intent.facts.machine, intent.facts.kernel)
    if profile in _BUILTIN:
        return resolve_default(frozenset(bounding), host)
    return resolve_profile(parse_profile(profile), frozenset(bounding), host)
