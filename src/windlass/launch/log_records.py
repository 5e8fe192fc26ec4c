"""What readers of both formats of logs have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

BLOCK = 1 << 20
"""How much is read at once."""

Runs = list[tuple[str, bytes]]
"""Text with the stream that it belongs to."""


class View(msgspec.Struct, frozen=True):
    """What a client wants to see of each record. `since` and `until` are RFC 3339 with nanoseconds, empty for none."""

    streams: frozenset[str]
    since: str = ""
    until: str = ""
    timestamps: bool = False
    details: bool = False


class Format(ABC):
    """How records are told apart, and what they say."""

    @abstractmethod
    def complete(self, data: bytes) -> int:
        """Return how many of the bytes are whole records."""

    @abstractmethod
    def count(self, data: bytes) -> int:
        """Return how many records complete data has."""

    @abstractmethod
    def skip(self, data: bytes, number: int) -> tuple[bytes, int]:
        """Leave out `number` records; returns what remains, and how many are still to be left out."""

    @abstractmethod
    def seek_back(self, fd: int, records: int) -> int:
        """Position `fd` before the last so many records; returns how many are still wanted from older files."""

    @abstractmethod
    def render(self, data: bytes, view: View) -> tuple[Runs, bool]:
        """Return what the client gets of complete data, and whether a record after `until` was seen."""
