"""Volumes as directories: `<root>/<name>/_data`.

A name is one clean path component, checked here again whoever checked it before (SECURITY: every name in a path). What
is removed is first renamed out of sight, so that an interrupted removal is finished by the next `sweep`.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from windlass.base.errors import InvalidParameter, System
from windlass.base.ids import is_valid_name, new_id
from windlass.linux import removal

DRIVER = "local"
_DATA = "_data"
_TRASH_PREFIX = ".trash-"
_KNOWN_OPTIONS = frozenset(("type", "o", "device", "size"))


class InvalidVolumeName(InvalidParameter):
    """The name cannot be a directory's."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'create {name}: "{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class LocalVolumes:
    """The volumes' directories below `root`. Every method blocks."""

    root: str

    def path(self, name: str) -> str:
        """Return the directory that containers see.

        Raises:
            InvalidVolumeName: the name is none.
        """
        if not is_valid_name(name) or len(name) > 255:
            raise InvalidVolumeName(name)
        return f"{self.root}/{name}/{_DATA}"

    def create(self, name: str, options: dict[str, str]) -> str:
        """Make a volume's directory, or take the one that is there; return its path.

        Raises:
            InvalidVolumeName: the name is none.
            InvalidParameter: an option that the driver does not know.
            System: the host refused.
        """
        path = self.path(name)
        check_options(name, options)
        try:
            os.makedirs(self.root, 0o711, exist_ok=True)
            os.makedirs(os.path.dirname(path), 0o711, exist_ok=True)
            if not os.path.isdir(path):
                os.mkdir(path, 0o755)
                os.chmod(path, 0o755)
        except OSError as error:
            raise _refusal("create", name, error) from error
        return path

    def remove(self, name: str) -> None:
        """Remove a volume's directory with all that is in it; one that is gone is fine.

        Raises:
            System: the host refused, or something is mounted inside.
        """
        directory = os.path.dirname(self.path(name))
        trash = f"{_TRASH_PREFIX}{new_id()}"
        try:
            os.rename(directory, f"{self.root}/{trash}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise _refusal("remove", name, error) from error
        self._delete(name, trash)

    def _delete(self, name: str, trash: str) -> None:
        try:
            root_fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                removal.remove(root_fd, os.fsencode(trash))
            finally:
                os.close(root_fd)
        except OSError as error:
            raise _refusal("remove", name, error) from error

    def sweep(self) -> None:
        """Finish removals that an earlier daemon began.

        Raises:
            System: the host refused.
        """
        try:
            leftovers = [name for name in os.listdir(self.root) if name.startswith(_TRASH_PREFIX)]
        except FileNotFoundError:
            return
        for name in leftovers:
            self._delete(name, name)

    def is_empty(self, name: str) -> bool:
        """Tell whether a volume has no content yet."""
        with os.scandir(self.path(name)) as entries:
            return next(entries, None) is None


def check_options(name: str, options: dict[str, str]) -> None:
    """Refuse options of the driver that it does not know or cannot serve.

    Raises:
        InvalidParameter: in dockerd's words.
    """
    for option in options:
        if option not in _KNOWN_OPTIONS:
            raise InvalidParameter(f'create {name}: invalid option: "{option}"')
    if options:
        raise InvalidParameter(f"create {name}: mount options of local volumes are not supported by this engine yet")


def _refusal(action: str, name: str, error: OSError) -> System:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return System(f"{action} {name}: no space left on device")
    return System(f"{action} {name}: {error.strerror or error}")
