"""Looking up and making places below the new root.

By descriptor, never by a host path, and what is found is what is used: an image or a neighbour that swaps a component
for a symbolic link in between gains nothing (CVE-2021-30465, CVE-2019-19921, CVE-2024-45310).
"""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext, StepFailed
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, openat2

IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS


def relative(path: str) -> bytes:
    """Return `path` without its slashes at both ends; `.` for the root."""
    return os.fsencode(path).strip(b"/") or b"."


def open_target(ctx: InitContext, path: str, extra: int = 0, *, directory: bool = False) -> int:
    """Open what is at `path` of the root, O_PATH; `extra` are RESOLVE_* bits."""
    flags = os.O_PATH | (os.O_DIRECTORY if directory else 0)
    return openat2(ctx.root_fd, relative(path), flags, resolve=IN_ROOT | extra)


def open_parent(ctx: InitContext, path: str) -> tuple[int, bytes]:
    """Open the directory that `path` is in, making what is missing, and return it with the last component."""
    return _open_parent_at(ctx.root_fd, path)


def _open_parent_at(root_fd: int, path: str) -> tuple[int, bytes]:
    parent, _, name = relative(path).rpartition(b"/")
    if name in (b".", b".."):
        raise StepFailed(f"{path} has no last component")
    return ensure_directory_at(root_fd, os.fsdecode(b"/" + parent), 0o755), name


def ensure_directory(ctx: InitContext, path: str, mode: int, *, no_symlinks: bool = False) -> int:
    """Open the directory `path` of the root, making what is missing; see `ensure_directory_at`."""
    return ensure_directory_at(ctx.root_fd, path, mode, no_symlinks=no_symlinks)


def ensure_directory_at(root_fd: int, path: str, mode: int, *, no_symlinks: bool = False) -> int:
    """Open the directory `path` below a root, making what is missing.

    Raises:
        OSError: ELOOP when `no_symlinks` and a component is a symbolic link; ENOTDIR.
    """
    extra = RESOLVE_NO_SYMLINKS if no_symlinks else 0
    place = relative(path)
    try:
        return openat2(root_fd, place, os.O_PATH | os.O_DIRECTORY, resolve=IN_ROOT | extra)
    except FileNotFoundError:
        if place == b".":
            raise
    parent, _, name = place.rpartition(b"/")
    parent_fd = ensure_directory_at(root_fd, os.fsdecode(b"/" + parent), 0o755, no_symlinks=no_symlinks)
    try:
        try:
            os.mkdir(name, mode, dir_fd=parent_fd)
        except FileExistsError:
            pass
        return openat2(parent_fd, name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    finally:
        os.close(parent_fd)


def ensure_file(ctx: InitContext, path: str) -> int:
    """Open the file `path` of the root as a mount target, making an empty one when missing."""
    return ensure_file_at(ctx.root_fd, path)


def ensure_file_at(root_fd: int, path: str) -> int:
    """Open the file `path` below a root as a mount target, making an empty one when missing."""
    try:
        return openat2(root_fd, relative(path), os.O_PATH, resolve=IN_ROOT)
    except FileNotFoundError:
        pass
    parent, name = _open_parent_at(root_fd, path)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            os.close(openat2(parent, name, flags, mode=0o644))
        except FileExistsError:
            pass
        return openat2(parent, name, os.O_PATH | os.O_NOFOLLOW)
    finally:
        os.close(parent)
