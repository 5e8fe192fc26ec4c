"""Subordinate ids: which ranges of the host's ids the administrator has given to a user.

Source: subuid(5), subgid(5); the texts are dockerd's, with what to do about them.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter, System

SUBUID = "/etc/subuid"
SUBGID = "/etc/subgid"

# One namespace takes at most this many lines. Source: user_namespaces(7).
MAX_RANGES = 340

_MAX_FILE_BYTES = 1 << 20
_LAST_ID = (1 << 32) - 2
_FIRST_ADDED = 100_000
_USUAL_COUNT = 65_536


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of the file: `count` ids from `first` on are `owner`'s, who is given by name or number."""

    owner: str
    first: int
    count: int

    @property
    def end(self) -> int:
        """The first id behind it."""
        return self.first + self.count


def read_grants(path: str) -> list[Grant]:
    """Read a file of subordinate ids; one that is missing is empty.

    Raises:
        InvalidParameter: a line is malformed; the text names it.
        System: the file cannot be read, or is unreasonably large.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise System(f"open {path}: {os.strerror(error.errno or 0).lower()}") from None
    if len(data) > _MAX_FILE_BYTES:
        raise System(f"{path} is larger than {_MAX_FILE_BYTES} bytes")
    lines = enumerate(data.decode(errors="replace").splitlines(), 1)
    return [_parse(path, number, text) for number, line in lines if (text := line.strip()) and text[0] != "#"]


def _parse(path: str, number: int, text: str) -> Grant:
    owner, *numbers = text.split(":")
    if len(numbers) != 2 or not all(digits.isascii() and digits.isdecimal() for digits in numbers):
        raise InvalidParameter(
            f"Cannot parse subuid/gid information: Format not correct for {path} file: "
            f"line {number} is not NAME:FIRST:COUNT"
        )
    grant = Grant(owner, int(numbers[0]), int(numbers[1]))
    if not grant.count or grant.end - 1 > _LAST_ID:
        raise InvalidParameter(
            f"Cannot parse subuid/gid information: line {number} of {path} has ids that do not exist"
        )
    return grant


def ranges_of(path: str, names: Collection[str]) -> list[tuple[int, int]]:
    """Return the (first, count) ranges that `path` grants to any of `names`, in the file's order.

    Raises:
        InvalidParameter: they cannot be the map of a namespace: they overlap, contain the host's root, or are too many.
        System: the file cannot be read.
    """
    granted = [grant for grant in read_grants(path) if grant.owner in names]
    if len(granted) > MAX_RANGES:
        raise InvalidParameter(f"{path} has {len(granted)} ranges for one user, and the kernel takes {MAX_RANGES}")
    behind = 1
    for grant in sorted(granted, key=lambda grant: grant.first):
        if grant.first < behind:
            what = "contains the host's root" if grant.first == 0 else "overlaps another one"
            raise InvalidParameter(f"the range {grant.owner}:{grant.first}:{grant.count} of {path} {what}")
        behind = grant.end
    return [(grant.first, grant.count) for grant in granted]


def next_free_range(path: str) -> tuple[int, int]:
    """Return (first, last) of a usual range behind everything that `path` grants.

    Raises:
        InvalidParameter: the file is malformed, or there is no room behind its last range.
    """
    first = max([_FIRST_ADDED, *(grant.end for grant in read_grants(path))])
    last = first + _USUAL_COUNT - 1
    if last > _LAST_ID:
        raise InvalidParameter(f"{path} has no room for {_USUAL_COUNT} ids behind its last range")
    return first, last
