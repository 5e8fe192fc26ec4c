"""System call filters, as the OCI runtime specification writes them.

Source: OCI runtime-spec 1.2, config-linux.md, "Seccomp".
"""

from __future__ import annotations

from windlass.spec import struct


class LinuxSeccompArg(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One comparison with a system call's argument `index` (0 to 5); `value_two` is used by SCMP_CMP_MASKED_EQ."""

    index: int
    value: int
    op: str
    value_two: int = 0


class LinuxSyscall(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What to do when one of `names` is called and all `args` hold."""

    names: list[str]
    action: str
    errno_ret: int | None = None
    args: list[LinuxSeccompArg] = []


class LinuxSeccomp(struct.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A filter: `default_action` for what no rule names, on each of `architectures` (the native one is implied)."""

    default_action: str
    default_errno_ret: int | None = None
    architectures: list[str] = []
    flags: list[str] = []
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: list[LinuxSyscall] = []
