"""System call filters.

Source: runtime-spec config-linux.md, "Seccomp"; seccomp(2).
"""

from __future__ import annotations

from windlass.runtime.oci.validate_fault import Fault, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from windlass.spec.seccomp import LinuxSeccomp, LinuxSyscall

_NOTIFY = "SCMP_ACT_NOTIFY"
_WITH_NUMBER = frozenset({"SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"})
_MAX_NUMBER = (1 << 16) - 1
_MAX_INDEX = 5


def check_seccomp(seccomp: LinuxSeccomp, at: str) -> None:
    """Check a filter; `at` is its pointer.

    Raises:
        Fault: the first rule that is broken.
    """
    _number(seccomp.default_action, seccomp.default_errno_ret, f"{at}/defaultErrnoRet")
    if seccomp.default_action == _NOTIFY:
        raise unsupported(f"{at}/defaultAction", "SCMP_ACT_NOTIFY would stop the runtime itself before the agent hears")
    for index, rule in enumerate(seccomp.syscalls):
        _rule(rule, f"{at}/syscalls/{index}")
    notifies = any(rule.action == _NOTIFY for rule in seccomp.syscalls)
    if notifies and not seccomp.listener_path:
        raise Fault(f"{at}/listenerPath", "is required with SCMP_ACT_NOTIFY")
    if seccomp.listener_path and not seccomp.listener_path.startswith("/"):
        raise Fault(f"{at}/listenerPath", "is not an absolute path")
    if seccomp.listener_metadata and not seccomp.listener_path:
        raise Fault(f"{at}/listenerMetadata", "needs a listenerPath")


def _rule(rule: LinuxSyscall, at: str) -> None:
    if not rule.names:
        raise Fault(f"{at}/names", "must not be empty")
    _number(rule.action, rule.errno_ret, f"{at}/errnoRet")
    if rule.action == _NOTIFY and "write" in rule.names:
        place = f"{at}/names/{rule.names.index('write')}"
        raise unsupported(place, "SCMP_ACT_NOTIFY for write would stop the runtime itself before the agent hears")
    for index, arg in enumerate(rule.args):
        if arg.index > _MAX_INDEX:
            raise Fault(f"{at}/args/{index}/index", f"{arg.index} is not between 0 and {_MAX_INDEX}")


def _number(action: str, number: int | None, at: str) -> None:
    if number is None:
        return
    if action not in _WITH_NUMBER:
        raise Fault(at, f"{action} takes no number")
    if number > _MAX_NUMBER:
        raise Fault(at, f"{number} is not between 0 and {_MAX_NUMBER}")
