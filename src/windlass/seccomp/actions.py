"""The words of filters and what they mean to the kernel.

Source: runtime-spec config-linux.md, "Seccomp"; seccomp(2).
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.linux import libseccomp as lib
from windlass.spec.seccomp import LinuxSeccomp, LinuxSeccompArg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EPERM = 1
_MAX_ERRNO = 0xFFFF
_MAX_ARGUMENT = 5

ACTIONS: dict[str, int] = {
    "SCMP_ACT_KILL": lib.ACT_KILL_THREAD,
    "SCMP_ACT_KILL_THREAD": lib.ACT_KILL_THREAD,
    "SCMP_ACT_KILL_PROCESS": lib.ACT_KILL_PROCESS,
    "SCMP_ACT_TRAP": lib.ACT_TRAP,
    "SCMP_ACT_ERRNO": lib.ACT_ERRNO,
    "SCMP_ACT_NOTIFY": lib.ACT_NOTIFY,
    "SCMP_ACT_TRACE": lib.ACT_TRACE,
    "SCMP_ACT_ALLOW": lib.ACT_ALLOW,
    "SCMP_ACT_LOG": lib.ACT_LOG,
}

OPERATORS: dict[str, int] = {
    "SCMP_CMP_NE": lib.CMP_NE,
    "SCMP_CMP_LT": lib.CMP_LT,
    "SCMP_CMP_LE": lib.CMP_LE,
    "SCMP_CMP_EQ": lib.CMP_EQ,
    "SCMP_CMP_GE": lib.CMP_GE,
    "SCMP_CMP_GT": lib.CMP_GT,
    "SCMP_CMP_MASKED_EQ": lib.CMP_MASKED_EQ,
}

# SECCOMP_FILTER_FLAG_* of linux/seccomp.h; TSYNC has nothing to do in a process of one thread.
FLAGS: dict[str, int] = {
    "SECCOMP_FILTER_FLAG_TSYNC": 0,
    "SECCOMP_FILTER_FLAG_LOG": 1 << 1,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 1 << 2,
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": 1 << 5,
}


_NOTIFY = "SCMP_ACT_NOTIFY"
_OF_LISTENER = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
# Init itself writes before there is an agent to ask.
_HANDOVER = "write"


def action_value(action: str, errno_ret: int | None) -> int:
    """Return the kernel's number: the action, and for errno and trace the value in its low half.

    Raises:
        InvalidParameter: unknown action.
    """
    try:
        value = ACTIONS[action]
    except KeyError:
        raise InvalidParameter(f"string {action} is not a valid action for seccomp") from None
    if value in (lib.ACT_ERRNO, lib.ACT_TRACE):
        return value | (_EPERM if errno_ret is None else errno_ret)
    return value


def operator_value(operator: str) -> int:
    """Return the library's number of a comparison.

    Raises:
        InvalidParameter: unknown.
    """
    try:
        return OPERATORS[operator]
    except KeyError:
        raise InvalidParameter(f"string {operator} is not a valid operator for seccomp") from None


def arch_token(name: str) -> int:
    """Return the library's token of an architecture.

    Raises:
        InvalidParameter: unknown.
    """
    try:
        return lib.ARCH_TOKENS[name]
    except KeyError:
        raise InvalidParameter(f"string {name} is not a valid arch for seccomp") from None


def notifies(seccomp: LinuxSeccomp) -> bool:
    """Tell whether a filter asks an agent about some calls.

    Raises:
        InvalidParameter: about what init itself needs to hand over the listener, in runc's words.
    """
    if seccomp.default_action == _NOTIFY:
        raise InvalidParameter("SCMP_ACT_NOTIFY cannot be used as default action")
    asked = [rule for rule in seccomp.syscalls if rule.action == _NOTIFY]
    if any(_HANDOVER in rule.names for rule in asked):
        raise InvalidParameter(f"SCMP_ACT_NOTIFY cannot be used for the {_HANDOVER} syscall")
    return bool(asked)


def filter_flags(flags: Sequence[str], *, notify: bool = False) -> int:
    """Return SECCOMP_FILTER_FLAG_* bits.

    Without a word, speculation stays allowed: the mitigation costs every process of the container, and the field leaves
    it off. What concerns a listener is left out where there is none: the kernel would refuse it.

    Raises:
        InvalidParameter: unknown flag.
    """
    if not flags:
        return FLAGS["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
    bits = 0
    for flag in flags:
        if flag not in FLAGS:
            raise InvalidParameter(f'seccomp flags not yet supported by windlass: "{flag}"')
        bits |= FLAGS[flag]
    return bits if notify else bits & ~FLAGS[_OF_LISTENER]


def check_rule(action: str, errno_ret: int | None, args: Sequence[LinuxSeccompArg] = ()) -> None:
    """Refuse what could not be compiled.

    Raises:
        InvalidParameter: unknown words, numbers out of range.
    """
    action_value(action, errno_ret)
    if errno_ret is not None and not 0 <= errno_ret <= _MAX_ERRNO:
        raise InvalidParameter(f"seccomp errnoRet {errno_ret} is out of range")
    for arg in args:
        operator_value(arg.op)
        if not 0 <= arg.index <= _MAX_ARGUMENT:
            raise InvalidParameter(f"seccomp argument index {arg.index} is out of range")
        if not (0 <= arg.value < 1 << 64 and 0 <= arg.value_two < 1 << 64):
            raise InvalidParameter("seccomp argument value is out of range")
