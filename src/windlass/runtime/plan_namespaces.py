"""The part of a launch plan that joins and makes namespaces, and sets what belongs to them.

With a user namespace everything else is made by its root, or the kernel will not let that root use it; but what only
the host's root can do, the root file system and the sources of binds, comes before it is entered.

Source: runtime-spec config-linux.md, "Namespaces", "User namespace mappings", "Offset for Time Namespace".
"""

from __future__ import annotations

from windlass.base.errors import InvalidParameter
from windlass.linux.namespaces import (
    CLONE_NEWCGROUP,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    NAMESPACE_FLAGS,
)
from windlass.runtime.plan_facts import SYNC_NAMESPACES, PlanFacts
from windlass.runtime.sysctls import check_sysctls
from windlass.spec.plan import (
    AnyOp,
    Fork,
    Hostname,
    IdRange,
    LoopbackUp,
    SetNs,
    Sync,
    Sysctl,
    TimeOffsets,
    Unshare,
    UserNs,
)
from windlass.spec.runtime import IdMapping, Namespace, RuntimeSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Namespaces:
    """The namespaces of a specification, sorted by what has to be done about them.

    `fresh` are the CLONE_NEW* bits of new ones, but for cgroup, which comes with `JoinCgroup`.

    Raises:
        InvalidParameter: an unknown namespace, one named twice, or none for mounts.
    """

    def __init__(self, spec: RuntimeSpec, facts: PlanFacts) -> None:
        self._spec = spec
        self._facts = facts
        self.by_type: dict[str, Namespace] = {}
        for namespace in spec.linux.namespaces:
            if namespace.type not in NAMESPACE_FLAGS:
                raise InvalidParameter(f"unknown namespace type: {namespace.type}")
            if namespace.type in self.by_type:
                raise InvalidParameter(f"namespace {namespace.type} is named twice")
            self.by_type[namespace.type] = namespace
        if "mount" not in self.by_type:
            raise InvalidParameter("a container in the host's mount namespace is not supported")
        self.joined_mounts = self.by_type["mount"].path
        self.has_user = "user" in self.by_type
        self.fresh = 0
        for namespace in self.by_type.values():
            flag = NAMESPACE_FLAGS[namespace.type]
            if not namespace.path and not flag & (CLONE_NEWCGROUP | CLONE_NEWUSER) and not self._is_passed(flag):
                self.fresh |= flag

    @property
    def forks(self) -> bool:
        """Whether init itself goes on in a child, the first in namespaces that take effect then."""
        pid = "pid" in self.by_type
        return (self.has_user and pid) or bool(self.fresh & CLONE_NEWTIME)

    @property
    def new_cgroup(self) -> bool:
        """Whether the container has a control group namespace of its own."""
        return "cgroup" in self.by_type and not self.by_type["cgroup"].path

    def _is_passed(self, flag: int) -> bool:
        return flag == CLONE_NEWNET and self._facts.netns_fd >= 0

    def joins(self) -> Iterator[AnyOp]:
        """Join what exists, but for that of mounts, after which no path is the host's.

        That of processes only here when init forks, else it is the parent's part.
        """
        for namespace in self.by_type.values():
            flag = NAMESPACE_FLAGS[namespace.type]
            if namespace.path:
                if not flag & (CLONE_NEWUSER | CLONE_NEWNS) and (flag != CLONE_NEWPID or self.forks):
                    yield SetNs(flag, namespace.path)
            elif self._is_passed(flag):
                yield SetNs(flag, fd=self._facts.netns_fd)

    def news(self) -> Iterator[AnyOp]:
        """Make the rest, and be in them."""
        fresh = self.fresh if self.forks else self.fresh & ~CLONE_NEWPID
        if fresh:
            yield Unshare(fresh)
        if self._spec.linux.time_offsets:
            if not fresh & CLONE_NEWTIME:
                raise InvalidParameter("time offsets need a time namespace of the container's own")
            offsets = self._spec.linux.time_offsets
            yield TimeOffsets([(clock, offset.secs, offset.nanosecs) for clock, offset in offsets.items()])
        if self.forks:
            yield Fork()
        if SYNC_NAMESPACES in self._facts.sync_points:
            yield Sync(SYNC_NAMESPACES)

    def contents(self) -> Iterator[AnyOp]:
        """Set what belongs to them.

        Raises:
            InvalidParameter: a parameter that is not the container's own.
        """
        spec = self._spec
        if self.fresh & CLONE_NEWNET:
            yield LoopbackUp()
        own = frozenset(self.by_type)
        if spec.linux.sysctl:
            yield Sysctl(check_sysctls(spec.linux.sysctl, own))
        if spec.hostname or spec.domainname:
            if "uts" not in own:
                raise InvalidParameter("unable to set hostname without a private UTS namespace")
            yield Hostname(spec.hostname, spec.domainname)

    def user(self) -> UserNs:
        """Have the user namespace at hand.

        Raises:
            InvalidParameter: a new one without mappings.
        """
        uids, gids = id_ranges(self._spec.linux.uid_mappings), id_ranges(self._spec.linux.gid_mappings)
        if self._facts.userns_fd >= 0:
            return UserNs(uids, gids, fd=self._facts.userns_fd)
        path = self.by_type["user"].path
        if not path and not (uids and gids):
            raise InvalidParameter("a user namespace needs uidMappings and gidMappings")
        return UserNs(uids, gids, path)

    def mount_namespace(self) -> Unshare:
        """A mount namespace that still belongs to the host, to make the root in."""
        return Unshare(CLONE_NEWNS)


def id_ranges(mappings: Iterable[IdMapping]) -> list[IdRange]:
    """Return mappings as the kernel wants them."""
    return [IdRange(mapping.container_id, mapping.host_id, mapping.size) for mapping in mappings]
