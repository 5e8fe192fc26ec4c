"""Steps that take away from the finished root: what is hidden and what cannot be written."""

from __future__ import annotations

import os
import stat

from windlass.launch.init_context import InitContext, StepFailed
from windlass.launch.init_targets import open_target
from windlass.linux import mount as m
from windlass.linux.fs import RESOLVE_NO_SYMLINKS
from windlass.spec import plan as ops

_NULL_DEVICE = os.makedev(1, 3)


def mask(ctx: InitContext, op: ops.Mask) -> None:
    """Cover paths; one empty tmpfs serves all directories."""
    empty = -1
    try:
        for path in op.targets:
            try:
                target = open_target(ctx, path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            try:
                if stat.S_ISDIR(os.fstat(target).st_mode):
                    if empty < 0:
                        cover = empty = m.fsmount(
                            "tmpfs", "tmpfs", [("size", "0"), ("nr_inodes", "2")], m.MOUNT_ATTR_RDONLY
                        )
                    else:
                        cover = m.open_tree(empty, "", recursive=False)
                    m.move_mount(cover, target)
                    if cover != empty:
                        os.close(cover)
                else:
                    _cover_with_null(ctx, target)
            finally:
                os.close(target)
    finally:
        if empty >= 0:
            os.close(empty)


def _cover_with_null(ctx: InitContext, target: int) -> None:
    """Bind the null device over `target`, after a look at what it really is (CVE-2025-31133)."""
    null = open_target(ctx, "/dev/null", extra=RESOLVE_NO_SYMLINKS)
    try:
        status = os.fstat(null)
        if not stat.S_ISCHR(status.st_mode) or status.st_rdev != _NULL_DEVICE:
            raise StepFailed("/dev/null of the root is not the null device")
        cover = m.open_tree(null, "", recursive=False)
        try:
            m.move_mount(cover, target)
        finally:
            os.close(cover)
    finally:
        os.close(null)


def read_only_paths(ctx: InitContext, op: ops.ReadOnlyPaths) -> None:
    """Bind paths read-only onto themselves."""
    for path in op.targets:
        try:
            target = open_target(ctx, path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            tree = m.open_tree(target, "", recursive=True)
            try:
                m.mount_setattr(tree, attr_set=m.MOUNT_ATTR_RDONLY, recursive=True)
                m.move_mount(tree, target)
            finally:
                os.close(tree)
        finally:
            os.close(target)


def read_only_root(ctx: InitContext, _op: ops.ReadOnlyRoot) -> None:
    """Make the root's own mount read-only; what is mounted below keeps its attributes."""
    m.mount_setattr(ctx.root_fd, attr_set=m.MOUNT_ATTR_RDONLY)
