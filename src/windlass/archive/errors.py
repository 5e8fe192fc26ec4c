"""What can be wrong with an archive: corrupt bytes, or bytes that ask for something that is refused."""

from __future__ import annotations

from windlass.base.errors import DataLoss, InvalidParameter


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
        shown = name[:256].decode("utf-8", "backslashreplace")
        super().__init__(f"refused archive entry {shown!r}: {reason}")
        self.name = name
        self.reason = reason


class TooLarge(InvalidParameter):
    """An archive or stream exceeds a limit of its reader: a bomb, or a limit set too low."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"{what} exceeds the limit of {limit}")
        self.what = what
        self.limit = limit
