"""The user whose subordinate ids containers get (`--userns-remap`), made when it is Docker's own and missing.

Source: docs.docker.com, "Isolate containers with a user namespace"; the texts are dockerd's.
"""

from __future__ import annotations

import grp
import logging
import os
import pwd
import select
import signal
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter, System
from windlass.base.logging import event
from windlass.host.subordinate_ids import SUBGID, SUBUID, next_free_range, ranges_of
from windlass.spec.id_mappings import IdMappings, stacked
from windlass.spec.plan import IdRange

DEFAULT = "default"
DEFAULT_USER = "dockremap"

_TOOL_TIMEOUT_S = 30
_MAX_COMPLAINT_BYTES = 1024
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    number: int

    @property
    def names(self) -> tuple[str, str]:
        """How the files of subordinate ids may spell it."""
        return self.name, str(self.number)


def load_mappings(setting: str) -> IdMappings | None:
    """Return the maps that `setting` (`default`, `user`, `user:group`, numbers too) stands for; None for no remapping.

    Blocks: it asks the host's user database and, for `default`, may run the host's useradd.

    Raises:
        InvalidParameter: malformed, or the user, the group or their subordinate ids do not exist.
        System: the host refused.
    """
    if not setting:
        return None
    user, group = _resolve(setting)
    if user.number == 0:
        event(_log, logging.WARNING, "root cannot be remapped with itself; user namespaces are off")
        return None
    return IdMappings(_ranges(SUBUID, "subuid", user, group), _ranges(SUBGID, "subgid", user, group))


def _ranges(path: str, kind: str, user: _Account, group: _Account) -> tuple[IdRange, ...]:
    found = ranges_of(path, user.names)
    if not found and path == SUBGID:
        found = ranges_of(path, group.names)
    if not found:
        raise InvalidParameter(
            f'Can\'t create ID mappings: no {kind} ranges found for user "{user.name}": '
            f'add a line such as "{user.name}:100000:65536" to {path}'
        )
    return stacked(found)


# --- who it is --------------------------------------------------------------------------------------


def _resolve(setting: str) -> tuple[_Account, _Account]:
    """Look up user and group; without a group, the one that is called or numbered as the user."""
    name, separator, group_name = setting.partition(":")
    if not name or (separator and not group_name) or ":" in group_name:
        raise InvalidParameter(f'invalid user/group specification in --userns-remap: "{setting}"')
    if name == DEFAULT:
        _ensure_default_user()
        name = DEFAULT_USER
    user = _find_user(name)
    if separator:
        return user, _find_group(group_name, f'Error during groupname lookup for "{group_name}"')
    complaint = f'Error during gid lookup for "{name}"'
    try:
        return user, _find_group(name, complaint)
    except InvalidParameter as error:
        raise InvalidParameter(f"{error.message}; name its group: --userns-remap={name}:GROUP") from None


def _find_user(name: str) -> _Account:
    try:
        entry = pwd.getpwuid(int(name)) if _is_number(name) else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        if _is_number(name):
            raise InvalidParameter(f"Uid {name} has no entry in /etc/passwd") from None
        raise InvalidParameter(f'Error during uid lookup for "{name}": user not found') from None
    return _Account(entry.pw_name, entry.pw_uid)


def _find_group(name: str, complaint: str) -> _Account:
    try:
        entry = grp.getgrgid(int(name)) if _is_number(name) else grp.getgrnam(name)
    except (KeyError, OverflowError):
        if _is_number(name):
            raise InvalidParameter(f"Gid {name} has no entry in /etc/group") from None
        raise InvalidParameter(f"{complaint}: group not found") from None
    return _Account(entry.gr_name, entry.gr_gid)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


# --- making it --------------------------------------------------------------------------------------


def _ensure_default_user() -> None:
    """Make Docker's user and give it ranges, each only where it is missing."""
    try:
        pwd.getpwnam(DEFAULT_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", DEFAULT_USER]
        _run(command, f'Error during "{DEFAULT_USER}" user creation')
        event(_log, logging.INFO, "user made for remapped containers", user=DEFAULT_USER)
    account = _find_user(DEFAULT_USER)
    for path, option in ((SUBUID, "--add-subuids"), (SUBGID, "--add-subgids")):
        if not ranges_of(path, account.names):
            first, last = next_free_range(path)
            _run(["usermod", option, f"{first}-{last}", DEFAULT_USER], f'Error during "{DEFAULT_USER}" user creation')
            event(_log, logging.INFO, "ids granted to the user of remapped containers", file=path, first=first)


def _run(argv: list[str], complaint: str) -> None:
    """Run one of the host's account tools to its end, for a bounded time.

    Raises:
        System: it is not there, fails, or does not end; with its own words.
    """
    said = os.memfd_create("said", os.MFD_CLOEXEC)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, said, 1),
        (os.POSIX_SPAWN_DUP2, said, 2),
    ]
    advice = f"make the user {DEFAULT_USER} and its lines in {SUBUID} and {SUBGID} yourself, or name another user"
    try:
        try:
            pid = os.posix_spawn(_program(argv[0]), argv, {"PATH": _PATH, "LC_ALL": "C"}, file_actions=actions)
        except OSError as error:
            raise System(f"{complaint}: {argv[0]}: {os.strerror(error.errno or 0).lower()}; {advice}") from None
        status = _wait(pid)
        if status:
            words = os.pread(said, _MAX_COMPLAINT_BYTES, 0).decode(errors="replace").strip()
            raise System(f"{complaint}: {words or f'{argv[0]} failed ({status})'}; {advice}")
    finally:
        os.close(said)


def _program(name: str) -> str:
    """Find a tool of the system's, whatever PATH this process was started with."""
    candidates = (f"{directory}/{name}" for directory in _PATH.split(":"))
    return next((path for path in candidates if os.access(path, os.X_OK)), f"/usr/sbin/{name}")


def _wait(pid: int) -> int:
    """Wait for the end of a child and return its exit code; one that takes too long is killed."""
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(_TOOL_TIMEOUT_S * 1000):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(pidfd)
