"""Where a copy ends up, decided from what the source is and what the destination is already.

Source: https://docs.docker.com/reference/cli/docker/container/cp/#description
"""

from __future__ import annotations

from windlass.cli.errors import CliError

# Bits of Go's os.FileMode, as the engine sends them.
GO_MODE_DIR = 1 << 31
GO_MODE_SYMLINK = 1 << 27


class Place:
    """A path on one side: what is there, if anything."""

    __slots__ = ("exists", "is_dir", "path")

    def __init__(self, path: str, *, exists: bool, is_dir: bool) -> None:
        self.path = path
        self.exists = exists
        self.is_dir = is_dir


class Plan:
    """Unpack into `directory`, the archive's first name component `old` becoming `new`."""

    __slots__ = ("directory", "new", "old")

    def __init__(self, directory: str, old: str, new: str) -> None:
        self.directory = directory
        self.old = old
        self.new = new

    def renamed(self, name: str) -> str:
        """Return the name an archive entry gets; raises CliError for an entry outside the copied path."""
        if self.old == self.new:
            return name
        first, slash, rest = name.removeprefix("./" if self.old != "." else "").partition("/")
        if first != self.old:
            raise CliError(f"unexpected archive entry: {name}")
        return f"{self.new}{slash}{rest}"


def split_argument(word: str) -> tuple[str, str]:
    """Return (container, path) of one argument of `cp`, the container being empty for a path of this host."""
    container, colon, path = word.partition(":")
    if not colon or word.startswith(("/", ".")):
        return "", word
    return container, path


def base_name(path: str) -> str:
    """Return the last component: `.` for `a/.`, `/` for the root."""
    stripped = path.rstrip("/")
    return stripped.rpartition("/")[2] or "/" if path else "."


def parent(path: str) -> str:
    """Return the directory of a path."""
    head, slash, _ = path.rstrip("/").rpartition("/")
    return head or ("/" if slash else ".")


def says_directory(path: str) -> bool:
    """Tell whether the spelling of a path insists on a directory."""
    return path.endswith("/") or base_name(path) == "."


def plan(source: Place, source_base: str, target: Place) -> Plan:
    """Decide where to unpack; raises CliError where the two do not fit."""
    if target.exists and target.is_dir:
        return Plan(target.path, source_base, source_base)
    if target.exists and source.is_dir:
        raise CliError("cannot copy directory")
    if not target.exists and not source.is_dir and says_directory(target.path):
        raise CliError("no such directory")
    return Plan(parent(target.path), source_base, base_name(target.path))
