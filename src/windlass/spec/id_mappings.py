"""How the ids of user namespaces relate to the host's."""

from __future__ import annotations

from windlass.spec import struct
from windlass.spec.plan import IdRange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class IdMappings(struct.Struct, frozen=True):
    """The maps of a user namespace, each from id 0 on without gaps."""

    uids: tuple[IdRange, ...]
    gids: tuple[IdRange, ...]

    @property
    def gid_count(self) -> int:
        """How many groups there are inside."""
        return sum(one.size for one in self.gids)


def stacked(ranges: Iterable[tuple[int, int]]) -> tuple[IdRange, ...]:
    """Lay (first host id, count) ranges end to end, the first at id 0 inside."""
    laid: list[IdRange] = []
    inside = 0
    for outside, size in ranges:
        laid.append(IdRange(inside, outside, size))
        inside += size
    return tuple(laid)
