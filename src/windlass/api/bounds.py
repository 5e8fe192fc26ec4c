"""How many clients there may be at a time, and how long one may take to say what it wants.

    waiting   no request under way: idle, or in the middle of a head        the oldest makes room for a newcomer
    busy      a request is being answered, or its connection was taken over  never cut; a newcomer has to go

So a client that opens connections and says nothing, or says it a byte at a time, costs the others nothing.
"""

from __future__ import annotations

from typing import Protocol

# A head, with the beginning of a body that comes along before it is looked at.
HEAD_LIMIT_BYTES = 1 << 20
HEAD_TIMEOUT_S = 30.0
DEFAULT_CONNECTIONS = 4096


class Cuttable(Protocol):
    """A connection, as far as this is concerned."""

    def cut(self) -> None:
        """End it at once."""
        ...


class Bounds:
    """Counts the connections of one server."""

    def __init__(self, limit: int = DEFAULT_CONNECTIONS) -> None:
        self._limit = limit
        self._waiting: dict[Cuttable, None] = {}
        self._busy: set[Cuttable] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._busy)

    def admit(self, connection: Cuttable) -> None:
        """Count a new connection; the one that has waited longest goes when there are too many, if need be this one."""
        self._waiting[connection] = None
        if len(self) > self._limit:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.cut()

    def begin(self, connection: Cuttable) -> None:
        """A request of this connection is being answered."""
        self._waiting.pop(connection, None)
        self._busy.add(connection)

    def end(self, connection: Cuttable, *, is_lost: bool) -> None:
        """It is answered."""
        self._busy.discard(connection)
        if not is_lost:
            self._waiting[connection] = None

    def leave(self, connection: Cuttable) -> None:
        """The connection is lost; what is being answered still counts."""
        self._waiting.pop(connection, None)

    def is_waiting(self, connection: Cuttable) -> bool:
        """Tell whether no request of this connection is under way."""
        return connection in self._waiting
