"""Paths of a container that a pattern of the shell means, found by a worker that is chrooted to it.

Source: glob(7); a name that begins with a dot is only met by a pattern that does.
"""

from __future__ import annotations

import fnmatch
import os
import re
from typing import Any

import msgspec

from windlass.base.errors import InvalidParameter
from windlass.files.entering import enter
from windlass.files.looking import is_kernels
from windlass.files.model import StatParams
from windlass.files.paths import requested
from windlass.linux.fs import open_in_root

_MAX_FOUND = 10_000
_MAX_PARTS = 64
_SPECIAL = re.compile(r"[*?\[]")


def glob_job(params: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    """Return the paths that match a pattern, in their order.

    Raises:
        InvalidParameter: the pattern has too many parts, or meets too much.
        OSError: the kernel refused.
    """
    wanted = msgspec.convert(params, StatParams)
    inside = enter(wanted.where, fds)
    parts = requested(wanted.path).absolute.strip("/").split("/")
    if len(parts) > _MAX_PARTS:
        raise InvalidParameter("the pattern has too many parts")
    found = [""]
    for part in parts:
        found = [path for above in found for path in _below(inside.root_fd, above, part)]
        if len(found) > _MAX_FOUND:
            raise InvalidParameter(f"the pattern meets more than {_MAX_FOUND} files")
    return {"paths": sorted(found)}


def _below(root_fd: int, above: str, part: str) -> list[str]:
    try:
        fd = open_in_root(root_fd, os.fsencode(above.strip("/")) or b".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return []
    try:
        if is_kernels(fd):
            return []
        names = os.listdir(fd)
    finally:
        os.close(fd)
    if not _SPECIAL.search(part):
        return [f"{above}/{part}"] if part in names else []
    # Names that are no UTF-8 cannot be told to a client.
    return [f"{above}/{name}" for name in names if _matches(name, part) and name.isprintable()]


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (pattern[0] == "." or name[0] != ".")
