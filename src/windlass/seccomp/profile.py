"""Seccomp profiles as Docker writes them, and the filter one comes to for a container.

A profile is wider than the OCI's filter: rules can depend on the architecture, on the kernel and on the capabilities
that a container has. `default.json` is the profile that the field agreed on.

Source: Docker, "Seccomp security profiles for Docker"; github.com/moby/profiles, seccomp.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib import resources

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.seccomp.actions import check_rule, notifies
from windlass.spec.seccomp import LinuxSeccomp, LinuxSeccompArg, LinuxSyscall

_MAX_PROFILE_BYTES = 4 * 1024 * 1024

# `uname -m` to the words of profiles: the name in `arches`, and the libseccomp name.
_MACHINES: dict[str, tuple[str, str]] = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64"),
    "i686": ("x86", "SCMP_ARCH_X86"),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64"),
    "armv7l": ("arm", "SCMP_ARCH_ARM"),
    "ppc64le": ("ppc64le", "SCMP_ARCH_PPC64LE"),
    "s390x": ("s390x", "SCMP_ARCH_S390X"),
    "riscv64": ("riscv64", "SCMP_ARCH_RISCV64"),
    "loongarch64": ("loongarch64", "SCMP_ARCH_LOONGARCH64"),
}


class Condition(msgspec.Struct, frozen=True, rename="camel"):
    """When a rule applies, or does not: all of `caps` held, one of `arches`, a kernel of at least `min_kernel`."""

    caps: list[str] | None = None
    arches: list[str] | None = None
    min_kernel: str = ""


class ProfileRule(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a profile's `syscalls`."""

    action: str = ""
    name: str = ""
    names: list[str] | None = None
    errno_ret: int | None = None
    args: list[LinuxSeccompArg] | None = None
    comment: str = ""
    includes: Condition | None = None
    excludes: Condition | None = None


class ArchMapEntry(msgspec.Struct, frozen=True, rename="camel"):
    """An architecture and those that its kernel also runs."""

    architecture: str = ""
    sub_architectures: list[str] | None = None


class Profile(msgspec.Struct, frozen=True, rename="camel"):
    """A whole profile."""

    default_action: str = ""
    default_errno_ret: int | None = None
    architectures: list[str] | None = None
    arch_map: list[ArchMapEntry] | None = None
    flags: list[str] | None = None
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: list[ProfileRule] | None = None


class HostTraits(msgspec.Struct, frozen=True):
    """What profiles ask about a host: `uname -m`, and the kernel's major and minor version."""

    machine: str
    kernel: tuple[int, int]


def host_traits() -> HostTraits:
    """Describe this host."""
    uname = os.uname()
    return HostTraits(uname.machine, _kernel_version(uname.release))


@lru_cache(maxsize=1)
def default_profile() -> Profile:
    """Return the built-in profile."""
    return parse_profile(resources.files("windlass.seccomp").joinpath("default.json").read_bytes())


def parse_profile(text: str | bytes) -> Profile:
    """Decode a profile.

    Raises:
        InvalidParameter: not JSON, not a profile, or larger than 4 MiB; in Docker's words.
    """
    if len(text) > _MAX_PROFILE_BYTES:
        raise InvalidParameter("Decoding seccomp profile failed: profile is too large")
    try:
        return msgspec.json.decode(text, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"Decoding seccomp profile failed: {error}") from error


def resolve_profile(profile: Profile, bounding: frozenset[str], host: HostTraits) -> LinuxSeccomp | None:
    """Return the filter that `profile` comes to with the capabilities `bounding` on `host`.

    None means that the profile says nothing: no default action and no rule.

    Raises:
        InvalidParameter: the profile contradicts itself or uses unknown words.
    """
    rules = profile.syscalls or []
    if not profile.default_action and not rules:
        return None
    if profile.architectures and profile.arch_map:
        raise InvalidParameter(
            "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or"
            " 'archMap'"
        )
    syscalls = [_to_syscall(rule) for rule in rules if _applies(rule, bounding, host)]
    found = LinuxSeccomp(
        default_action=profile.default_action,
        default_errno_ret=profile.default_errno_ret,
        architectures=_architectures(profile, host),
        flags=profile.flags or [],
        listener_path=profile.listener_path,
        listener_metadata=profile.listener_metadata,
        syscalls=syscalls,
    )
    check_rule(found.default_action, found.default_errno_ret)
    if notifies(found):
        raise InvalidParameter("seccomp action SCMP_ACT_NOTIFY is not supported: there is no agent to notify")
    return found


@lru_cache(maxsize=64)
def resolve_default(bounding: frozenset[str], host: HostTraits) -> LinuxSeccomp | None:
    """Resolve the built-in profile, once for each set of capabilities."""
    return resolve_profile(default_profile(), bounding, host)


def _architectures(profile: Profile, host: HostTraits) -> list[str]:
    if profile.architectures:
        return profile.architectures
    _, native = _MACHINES.get(host.machine, ("", ""))
    for entry in profile.arch_map or []:
        if entry.architecture == native:
            return [native, *(entry.sub_architectures or [])]
    return []


def _applies(rule: ProfileRule, bounding: frozenset[str], host: HostTraits) -> bool:
    arch, _ = _MACHINES.get(host.machine, (host.machine, ""))
    if excludes := rule.excludes:
        if arch in (excludes.arches or ()) or any(cap in bounding for cap in excludes.caps or ()):
            return False
        if excludes.min_kernel and host.kernel >= _kernel_version(excludes.min_kernel):
            return False
    if includes := rule.includes:
        if includes.arches and arch not in includes.arches:
            return False
        if not all(cap in bounding for cap in includes.caps or ()):
            return False
        if includes.min_kernel and host.kernel < _kernel_version(includes.min_kernel):
            return False
    return True


def _to_syscall(rule: ProfileRule) -> LinuxSyscall:
    if rule.name and rule.names:
        raise InvalidParameter(
            "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'"
        )
    check_rule(rule.action, rule.errno_ret, rule.args or [])
    names = [rule.name] if rule.name else list(rule.names or [])
    return LinuxSyscall(names, rule.action, rule.errno_ret, rule.args or [])


def _kernel_version(text: str) -> tuple[int, int]:
    """Read `major.minor` from the front of a release.

    Raises:
        InvalidParameter: there is none.
    """
    major, _, rest = text.partition(".")
    minor = ""
    for letter in rest:
        if not letter.isdecimal():
            break
        minor += letter
    if not major.isdecimal() or not minor:
        raise InvalidParameter(f'invalid kernel version: "{text}", expected "<kernel>.<major>"')
    return int(major), int(minor)
