"""Removing trees: out of sight by one rename, then for good."""

from __future__ import annotations

import os

from windlass.linux import removal
from windlass.snapshots.naming import TRASH_PREFIX, random_name, refusal


def discard(directory: str, name: str) -> None:
    """Remove the tree `name` in `directory`: first out of sight by one rename, then for good.

    Raises:
        System: the host refused; a mount point inside keeps what it covers, and is not entered.
    """
    trash = f"{TRASH_PREFIX}{random_name()}"
    try:
        os.rename(f"{directory}/{name}", f"{directory}/{trash}")
    except FileNotFoundError:
        return
    except OSError as error:
        raise refusal("remove", f"{directory}/{name}", error) from error
    delete(directory, trash)


def delete(directory: str, name: str) -> None:
    """Remove the tree `name` in `directory` where it is; may be called again after an interruption.

    Raises:
        System: as `discard`.
    """
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        removal.remove(fd, os.fsencode(name))
    except OSError as error:
        raise refusal("remove", f"{directory}/{name}", error) from error
    finally:
        os.close(fd)
