"""Operations that make, join and name namespaces."""

from __future__ import annotations

from windlass.spec import struct
from windlass.spec.plan_op import Op


class Unshare(Op, frozen=True):
    """Leave the given namespaces for new ones; `flags` are CLONE_NEW* bits, of pid and time only before `Fork`."""

    flags: int

    def describe(self) -> str:
        return f"unshare namespaces {self.flags:#x}"


class SetNs(Op, frozen=True):
    """Join one namespace, given as a path or as the index of a descriptor passed with the plan."""

    nstype: int
    path: str = ""
    fd: int = -1

    def describe(self) -> str:
        return f"join namespace {self.path or f'#{self.fd}'}"


class JoinTarget(Op, frozen=True):
    """Join the namespaces of the supervised container's init, by its pidfd (`exec`)."""

    flags: int

    def describe(self) -> str:
        return "join the container's namespaces"


class IdRange(struct.Struct, frozen=True, array_like=True):
    """Ids `inside` to `inside + size - 1` of a user namespace are the ids from `outside` on of its parent."""

    inside: int
    outside: int
    size: int


class UserNs(Op, frozen=True):
    """Have a user namespace at hand for `EnterUserNs` and for mounts with `idmap`; nothing is joined yet.

    It is passed descriptor `fd`, or that of `path`, or made with the given mappings (at most 340 lines each;
    user_namespaces(7)). Mappings beside one that exists say what is known of it, and spare asking.
    """

    uid_map: list[IdRange] = []
    gid_map: list[IdRange] = []
    path: str = ""
    fd: int = -1

    def describe(self) -> str:
        return f"make a user namespace of {len(self.uid_map)} ranges" if self.uid_map else "find the user namespace"


class EnterUserNs(Op, frozen=True):
    """Join the user namespace at hand and become its root. What is made from here on belongs to it."""

    def describe(self) -> str:
        return "enter the user namespace"


class TimeOffsets(Op, frozen=True):
    """Set the clocks of the new time namespace, before anybody is in it: (clock, seconds, nanoseconds)."""

    values: list[tuple[str, int, int]]

    def describe(self) -> str:
        return "set time offsets"


class Fork(Op, frozen=True):
    """Go on in a child, which is the first in new pid and time namespaces; the parent reports its pid and ends."""

    def describe(self) -> str:
        return "fork into the new namespaces"


class LoopbackUp(Op, frozen=True):
    """Bring up `lo` in the current network namespace."""

    def describe(self) -> str:
        return "bring up lo"


class Hostname(Op, frozen=True):
    """Set host and domain name of the UTS namespace."""

    hostname: str
    domainname: str = ""

    def describe(self) -> str:
        return f"set host name {self.hostname}"
