"""Steps that mount on the new root: file systems and binds."""

from __future__ import annotations

import errno
import os
import stat

from windlass.launch.init_context import InitContext, StepFailed
from windlass.launch.init_copy_up import copy_up
from windlass.launch.init_idmap import map_ids
from windlass.launch.init_namespaces import make_user_namespace
from windlass.launch.init_neighbours import clone_tree
from windlass.launch.init_nodes import clone_node
from windlass.launch.init_targets import ensure_directory, ensure_file, open_target
from windlass.linux import mount as m
from windlass.spec import plan as ops

# A process that believes its /proc or /sys is the kernel's must not find the image's (CVE-2019-16884).
_NEVER_THROUGH_LINKS = frozenset({"proc", "sysfs"})


def mount_fs(ctx: InitContext, op: ops.MountFs) -> None:
    """Mount a new instance of a file system."""
    try:
        mount_fd = m.fsmount(op.fstype, op.source or op.fstype, list(op.options), op.attr)
    except OSError as error:
        if op.optional and error.errno in (errno.ENODEV, errno.EPERM, errno.EINVAL):
            return
        raise
    try:
        target, existed = _open_or_make(ctx, op)
        try:
            if op.copy_up:
                copy_up(target, mount_fd)
            if existed and op.fstype == "tmpfs" and not any(key == "mode" for key, _value in op.options):
                # A directory stays as private as it was.
                os.chmod(".", stat.S_IMODE(os.fstat(target).st_mode), dir_fd=mount_fd)
            m.move_mount(mount_fd, target)
        finally:
            os.close(target)
        _set_attributes(mount_fd, op)
    finally:
        os.close(mount_fd)


def _open_or_make(ctx: InitContext, op: ops.MountFs) -> tuple[int, bool]:
    """Return the place of a mount, and whether it was there."""
    plain = op.fstype in _NEVER_THROUGH_LINKS
    if not plain:
        try:
            return open_target(ctx, op.target, directory=True), True
        except FileNotFoundError:
            pass
    return ensure_directory(ctx, op.target, op.mode, no_symlinks=plain), False


def bind(ctx: InitContext, op: ops.Bind) -> None:
    """Bind a host path, or a descriptor that came with the plan."""
    tree = ctx.sources.pop(ctx.step, -1)
    if tree < 0:
        tree = _clone_source(ctx, op)
    if tree < 0:
        return
    try:
        if stat.S_ISDIR(os.fstat(tree).st_mode):
            target = ensure_directory(ctx, op.target, 0o755)
        else:
            target = ensure_file(ctx, op.target)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(target)
        # After the move: an attached mount may be made read-only recursively over its submounts.
        if op.attr_set or op.attr_clear:
            m.mount_setattr(tree, attr_set=op.attr_set, attr_clear=op.attr_clear)
        _set_attributes(tree, op)
    finally:
        os.close(tree)


def _set_attributes(tree: int, op: ops.Bind | ops.MountFs) -> None:
    """Set what concerns the whole tree, and propagation."""
    if op.recursive_attr_set or op.recursive_attr_clear:
        m.mount_setattr(tree, attr_set=op.recursive_attr_set, attr_clear=op.recursive_attr_clear, recursive=True)
    if op.propagation:
        m.mount_setattr(tree, propagation=op.propagation & ~m.MS_REC, recursive=bool(op.propagation & m.MS_REC))


def _clone_source(ctx: InitContext, op: ops.Bind) -> int:
    """Clone what is to be bound, with its ids mapped; -1 when it is missing and need not be there."""
    try:
        if op.fd >= 0:
            tree = m.open_tree(ctx.passed_fds[op.fd], "", recursive=op.recursive)
        else:
            tree = clone_tree(op.source, recursive=op.recursive)
    except FileNotFoundError:
        if op.optional:
            return -1
        raise
    if op.idmap:
        userns = make_user_namespace(op.uid_map, op.gid_map) if op.uid_map else ctx.userns_fd
        try:
            map_ids(tree, op.source, userns, recursive=op.recursive_idmap)
        finally:
            if op.uid_map:
                os.close(userns)
    return tree


def prepare_binds(ctx: InitContext, _op: ops.PrepareBinds) -> None:
    """Clone all sources, and the host's device nodes: none can be made inside a user namespace."""
    steps = ctx.plan.ops
    for position in range(ctx.step, len(steps)):
        later = steps[position]
        # `step` counts from 1.
        if isinstance(later, ops.Bind):
            try:
                tree = _clone_source(ctx, later)
            except OSError as error:
                raise StepFailed(f"{later.describe()}: {os.strerror(error.errno or 0).lower()}") from None
            ctx.sources[position + 1] = tree
        elif isinstance(later, ops.DevNode) and later.kind != "p":
            ctx.sources[position + 1] = clone_node(later)


def remount(ctx: InitContext, op: ops.Remount) -> None:
    """Change what is mounted at a place already."""
    target = open_target(ctx, op.target)
    try:
        if op.attr_set or op.attr_clear:
            m.mount_setattr(target, attr_set=op.attr_set, attr_clear=op.attr_clear)
        if op.options:
            m.reconfigure(target, list(op.options))
    finally:
        os.close(target)
