"""What can be wrong with an archive: corrupt bytes, or bytes that ask for something that is refused."""

from __future__ import annotations

import errno
import os

from windlass.base.errors import DataLoss, InvalidParameter, System, WindlassError

# What the kernel answers when the entry, not the host, is at fault.
_ENTRY_ERRNOS = frozenset(
    (errno.ENAMETOOLONG, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.EILSEQ, errno.EMLINK)
    + (errno.EFBIG, errno.ENOENT, errno.EXDEV, errno.E2BIG, errno.ERANGE)
)


class TarCorrupt(DataLoss):
    """The bytes are not a whole tar archive."""

    def __init__(self, reason: str = "invalid tar header") -> None:
        super().__init__(f"archive/tar: {reason}")
        self.reason = reason


class TarTruncated(DataLoss):
    """The archive ends inside a header or a file."""

    def __init__(self) -> None:
        super().__init__("unexpected EOF")


class StreamCorrupt(DataLoss):
    """A compressed stream does not decode."""

    def __init__(self, format_name: str, reason: str) -> None:
        super().__init__(f"{format_name}: {reason}")
        self.format_name = format_name
        self.reason = reason


class EntryRefused(InvalidParameter):
    """A well-formed entry asks for something that is never done: leaving the root, forging a whiteout."""

    def __init__(self, name: bytes, reason: str) -> None:
        super().__init__(f"refused archive entry {shown(name)}: {reason}")
        self.name = name
        self.reason = reason


class TooLarge(InvalidParameter):
    """An archive or stream exceeds a limit of its reader: a bomb, or a limit set too low."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} exceeds the limit of {limit}")
        self.what = what
        self.limit = limit


def shown(name: bytes) -> str:
    """Return an entry's name fit for a message: quoted, escaped, short."""
    return repr(name[:256].decode("utf-8", "backslashreplace"))


def explained(error: OSError, name: bytes | None = None) -> WindlassError:
    """Return the engine's error for the kernel's refusal to make the entry `name`: its own fault, or the host's."""
    number = error.errno or 0
    if number in _ENTRY_ERRNOS and name is not None:
        return EntryRefused(name, os.strerror(number))
    if number in (errno.ENOSPC, errno.EDQUOT):
        return System("no space left on device")
    return System(f"unpack {shown(name)}: {os.strerror(number)}" if name is not None else f"unpack: {error}")
