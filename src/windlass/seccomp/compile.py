"""From a filter's rules to the BPF program that the kernel runs.

libseccomp does the work. A prologue of ours goes before its program, for the machine's own architecture, with what the
library cannot say: rules for calls newer than itself, and ENOSYS for calls newer than the profile, so that programs
fall back as on an older kernel instead of meeting EPERM.

Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst; linux/filter.h.
"""

from __future__ import annotations

import struct
from collections import Counter

from windlass.base.errors import InvalidParameter, Unavailable
from windlass.linux import libseccomp as lib
from windlass.seccomp.actions import action_value, arch_token, operator_value
from windlass.seccomp.recent import RECENT_SYSCALLS
from windlass.spec.seccomp import LinuxSeccomp, LinuxSeccompArg, LinuxSyscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ENOSYS = 38
_BPF_LD_W_ABS = 0x20
_BPF_JMP_JEQ_K = 0x15
_BPF_JMP_JGT_K = 0x25
_BPF_JMP_JGE_K = 0x35
_BPF_RET_K = 0x06
# Offsets in struct seccomp_data.
_NR_OFFSET, _ARCH_OFFSET = 0, 4
# Numbers with this bit are x32's, which shares the architecture of x86-64.
_X32_BIT = 0x40000000
_MAX_JUMP = 255

_DENYING = (lib.ACT_ERRNO, lib.ACT_KILL_THREAD, lib.ACT_KILL_PROCESS, lib.ACT_TRAP)


def compile_filter(seccomp: LinuxSeccomp) -> bytes:
    """Compile to an array of `struct sock_filter`.

    Names that neither the library nor our table knows are left out: the kernel has no such call, or the default action
    is the safe answer.

    Raises:
        InvalidParameter: unknown action, operator or architecture.
        Unavailable: libseccomp is not installed.
    """
    try:
        lib.version()
    except OSError as error:
        raise Unavailable(
            f"seccomp filters need the library {lib.LIBRARY} (Debian and Ubuntu: package libseccomp2)"
        ) from error
    default = action_value(seccomp.default_action, seccomp.default_errno_ret)
    newest = 0
    unknown: list[tuple[int, int]] = []
    try:
        with lib.Filter(default) as program:
            program.use_binary_tree()
            for name in seccomp.architectures:
                program.add_arch(arch_token(name))
            for number, rule in _numbered(seccomp.syscalls):
                action = action_value(rule.action, rule.errno_ret)
                if number.is_native and not number.is_known and not rule.args:
                    unknown.append((number.value, action))
                elif number.is_known and action != default:
                    for arguments in _argument_sets(rule.args):
                        program.add_rule(action, number.value, arguments)
                newest = max(newest, number.value if number.is_native else 0)
            body = program.export()
    except OSError as error:
        raise InvalidParameter(f"unable to compile the seccomp filter: {error.strerror}") from error
    wants_enosys = default & 0xFFFF0000 in _DENYING and newest > 0
    return _prologue(unknown, newest if wants_enosys else -1) + body


class _Number:
    """A call's number: known to the library or not, of this architecture or a pseudo number of another."""

    __slots__ = ("is_known", "is_native", "value")

    def __init__(self, name: str) -> None:
        self.value = lib.resolve_syscall(name)
        self.is_known = self.value != lib.NR_SCMP_ERROR
        if not self.is_known:
            self.value = RECENT_SYSCALLS.get(name, -1)
        self.is_native = self.value >= 0


def _numbered(rules: list[LinuxSyscall]) -> Iterator[tuple[_Number, LinuxSyscall]]:
    for rule in rules:
        for name in rule.names:
            number = _Number(name)
            if number.is_known or number.is_native:
                yield number, rule


def _argument_sets(args: list[LinuxSeccompArg]) -> list[list[tuple[int, int, int, int]]]:
    """Group comparisons into rules: together, unless one argument is compared twice, which means "either"."""
    compared = [(arg.index, operator_value(arg.op), arg.value, arg.value_two) for arg in args]
    if any(count > 1 for count in Counter(arg.index for arg in args).values()):
        return [[comparison] for comparison in compared]
    return [compared]


def _prologue(unknown: list[tuple[int, int]], newest: int) -> bytes:
    """Emit our part: for the native architecture, answer the `unknown` calls, and ENOSYS for those after `newest`."""
    tests: list[bytes] = []
    for number, action in dict(unknown).items():
        tests += [_jump(_BPF_JMP_JEQ_K, number, 0, 1), _ret(action)]
    if newest >= 0:
        tests += [
            _jump(_BPF_JMP_JGE_K, _X32_BIT, 2, 0),
            _jump(_BPF_JMP_JGT_K, newest, 0, 1),
            _ret(lib.ACT_ERRNO | _ENOSYS),
        ]
    if not tests or len(tests) + 1 > _MAX_JUMP:
        return b""
    head = [
        _load(_ARCH_OFFSET),
        _jump(_BPF_JMP_JEQ_K, lib.native_arch(), 0, len(tests) + 1),
        _load(_NR_OFFSET),
    ]
    return b"".join(head + tests)


def _load(offset: int) -> bytes:
    return struct.pack("=HBBI", _BPF_LD_W_ABS, 0, 0, offset)


def _jump(code: int, value: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _ret(action: int) -> bytes:
    return struct.pack("=HBBI", _BPF_RET_K, 0, 0, action)
