"""Steps that fill directories of the root: devices, links, directories."""

from __future__ import annotations

import os
import stat

from windlass.launch.init_context import InitContext, StepFailed
from windlass.launch.init_targets import ensure_directory, ensure_file, open_parent, open_target
from windlass.linux import mount as m
from windlass.linux.fs import openat2
from windlass.spec import plan as ops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def dev_node(ctx: InitContext, op: ops.DevNode) -> None:
    """Make a device node with its exact mode, whatever the umask; or bind the host's, with the host's mode."""
    tree = ctx.sources.pop(ctx.step, -1)
    if tree >= 0:
        _bind_node(ctx, op, tree)
        return
    parent, name = open_parent(ctx, op.target)
    try:
        if not _make_node(parent, name, op):
            return
        node = openat2(parent, name, os.O_PATH | os.O_NOFOLLOW)
        try:
            proc = f"/proc/self/fd/{node}"
            os.chmod(proc, op.mode)
            if op.uid or op.gid:
                os.chown(proc, op.uid, op.gid)
        finally:
            os.close(node)
    finally:
        os.close(parent)


def _make_node(parent: int, name: bytes, op: ops.DevNode) -> bool:
    """Make the node; False when it is there. Something else of that name is the image's, and gives way."""
    mode, device = _KINDS[op.kind] | op.mode, os.makedev(op.major, op.minor)
    try:
        os.mknod(name, mode, device, dir_fd=parent)
        return True
    except FileExistsError:
        if _is_device(os.stat(name, dir_fd=parent, follow_symlinks=False), op):
            return False
    os.unlink(name, dir_fd=parent)
    os.mknod(name, mode, device, dir_fd=parent)
    return True


def _is_device(status: os.stat_result, op: ops.DevNode) -> bool:
    wanted = 0 if op.kind == "p" else os.makedev(op.major, op.minor)
    return stat.S_IFMT(status.st_mode) == _KINDS[op.kind] and status.st_rdev == wanted


def clone_node(op: ops.DevNode) -> int:
    """Return a detached mount of the host's node of a device.

    Raises:
        StepFailed: the host has none.
    """
    for path in _host_nodes(op):
        try:
            node = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if _is_device(os.fstat(node), op):
                return m.open_tree(node, "", recursive=False)
        finally:
            os.close(node)
    raise StepFailed(
        f"{op.describe()}: a user namespace cannot make device nodes, and the host has none of {op.kind}"
        f" {op.major}:{op.minor} to bind"
    )


def _host_nodes(op: ops.DevNode) -> Iterator[str]:
    """List where the host's node may be: most often at the same path, else where the kernel says."""
    yield op.target
    directory = "block" if op.kind == "b" else "char"
    try:
        with open(f"/sys/dev/{directory}/{op.major}:{op.minor}/uevent", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.strip().partition("=")
                if key == "DEVNAME":
                    yield f"/dev/{value}"
    except OSError:
        return


def _bind_node(ctx: InitContext, op: ops.DevNode, tree: int) -> None:
    try:
        target = ensure_file(ctx, op.target)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(target)
    finally:
        os.close(tree)


def symlink(ctx: InitContext, op: ops.Symlink) -> None:
    """Make a symbolic link; what is there already stays."""
    parent, name = open_parent(ctx, op.target)
    try:
        os.symlink(os.fsencode(op.content), name, dir_fd=parent)
    except FileExistsError:
        pass
    finally:
        os.close(parent)


def make_dir(ctx: InitContext, op: ops.MakeDir) -> None:
    """Make a directory and its parents."""
    try:
        os.close(open_target(ctx, op.target))
        return
    except FileNotFoundError:
        pass
    fd = ensure_directory(ctx, op.target, op.mode)
    try:
        if op.uid or op.gid:
            os.chown(f"/proc/self/fd/{fd}", op.uid, op.gid)
    finally:
        os.close(fd)
