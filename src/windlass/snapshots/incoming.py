"""A layer that is being unpacked."""

from __future__ import annotations

import os

from windlass.snapshots.naming import DIFF, INCOMING_PREFIX, LayerName, random_name, refusal
from windlass.snapshots.trash import discard


class IncomingLayer:
    """A layer being unpacked: a directory that is no layer until `commit`."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self.name = random_name()
        self._incoming = f"{directory}/{INCOMING_PREFIX}{self.name}"
        try:
            os.mkdir(self._incoming, 0o700)
            os.mkdir(self.path, 0o755)
            # What the overlay shows as the root's mode, whatever the mask of this process is.
            os.chmod(self.path, 0o755)
        except OSError as error:
            raise refusal("make", self._incoming, error) from error

    @property
    def path(self) -> str:
        """The directory to unpack in."""
        return f"{self._incoming}/{DIFF}"

    def open(self) -> int:
        """Open the directory to unpack in; the caller closes the descriptor.

        Raises:
            OSError: the host refused.
        """
        return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def commit(self) -> LayerName:
        """Make it a layer, and return its name. Its files are safe from a power cut after `LayerStore.sync`.

        Raises:
            System: the host refused.
        """
        try:
            os.rename(self._incoming, f"{self._directory}/{self.name}")
        except OSError as error:
            raise refusal("commit", self._incoming, error) from error
        return self.name

    def abort(self) -> None:
        """Remove it with what it holds.

        Raises:
            System: the host refused.
        """
        discard(self._directory, f"{INCOMING_PREFIX}{self.name}")
