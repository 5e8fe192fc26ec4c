"""Steps that build the container's root: mounts, devices, links, masks and the pivot.

A target is looked up below the new root by descriptor, never by a host path, and what is found is what is mounted on:
an image or a neighbour that swaps a component for a symbolic link in between gains nothing (CVE-2021-30465,
CVE-2019-19921, CVE-2024-45310).
"""

from __future__ import annotations

import errno
import os
import stat

from windlass.launch.init_context import InitContext, StepFailed
from windlass.launch.init_neighbours import clone_tree
from windlass.linux import mount as m
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, openat2
from windlass.spec import plan as ops

_IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
# mount(2) takes one page of options; a longer list of layers goes through fsconfig, one layer at a time.
_MOUNT_DATA_MAX = 4000
_NULL_DEVICE = os.makedev(1, 3)
# A process that believes its /proc or /sys is the kernel's must not find the image's (CVE-2019-16884).
_NEVER_THROUGH_LINKS = frozenset({"proc", "sysfs"})
_COPY_UP_MAX_DEPTH = 64


def propagation(ctx: InitContext, op: ops.Propagation) -> None:
    """Change propagation of the host's tree as this namespace sees it, or of one mount."""
    if op.holder_of:
        holder = op.holder_of
        while not os.path.ismount(holder):
            holder = os.path.dirname(holder)
        m.mount(None, holder, None, op.flags)
        return
    if not op.target:
        m.mount(None, "/", None, op.flags)
        return
    fd = _open_target(ctx, op.target)
    try:
        recursive = bool(op.flags & m.MS_REC)
        m.mount_setattr(fd, propagation=op.flags & ~m.MS_REC, recursive=recursive)
    finally:
        os.close(fd)


def overlay_root(ctx: InitContext, op: ops.OverlayRoot) -> None:
    """Mount the layers; relative names keep the option string short."""
    os.chdir(op.base)
    options = f"lowerdir={':'.join(op.lower)}"
    tail = f",upperdir={op.upper},workdir={op.work}" if op.upper else ""
    extra = f",{op.data}" if op.data else ""
    flags = m.MS_RDONLY if op.readonly else 0
    data = options + tail + extra
    if len(data) <= _MOUNT_DATA_MAX:
        m.mount("overlay", op.target, "overlay", flags, data)
    else:
        _mount_deep_overlay(op)
    os.chdir("/")
    ctx.set_root(os.open(op.target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def _mount_deep_overlay(op: ops.OverlayRoot) -> None:
    """Mount more layers than fit one page of options (`lowerdir+`, Linux 6.8)."""
    options: list[tuple[str, str | None]] = [("lowerdir+", f"{op.base}/{name}") for name in op.lower]
    if op.upper:
        options += [("upperdir", op.upper), ("workdir", op.work)]
    for item in filter(None, op.data.split(",")):
        key, separator, value = item.partition("=")
        options.append((key, value if separator else None))
    mount_fd = m.fsmount("overlay", "overlay", options, m.MOUNT_ATTR_RDONLY if op.readonly else 0)
    _attach_to_host_path(mount_fd, op.target)


def _attach_to_host_path(mount_fd: int, path: str) -> None:
    target = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        m.move_mount(mount_fd, target)
    finally:
        os.close(target)
        os.close(mount_fd)


def bind_root(ctx: InitContext, op: ops.BindRoot) -> None:
    """Make a directory a mount of its own, as pivot_root wants, and the new root."""
    tree = m.open_tree(m.AT_FDCWD, op.source, recursive=True)
    m.mount_setattr(tree, propagation=m.MS_PRIVATE, recursive=True)
    _attach_to_host_path(tree, op.source)
    ctx.set_root(os.open(op.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    if op.readonly:
        m.mount_setattr(ctx.root_fd, attr_set=m.MOUNT_ATTR_RDONLY)


def mount_fs(ctx: InitContext, op: ops.MountFs) -> None:
    """Mount a new instance of a file system."""
    try:
        mount_fd = m.fsmount(op.fstype, op.source or op.fstype, list(op.options), op.attr)
    except OSError as error:
        if op.optional and error.errno in (errno.ENODEV, errno.EPERM, errno.EINVAL):
            return
        raise
    try:
        plain = op.fstype in _NEVER_THROUGH_LINKS
        target = _ensure_directory(ctx, op.target, op.mode, no_symlinks=plain)
        try:
            if op.copy_up:
                _copy_up(target, mount_fd)
            m.move_mount(mount_fd, target)
        finally:
            os.close(target)
    finally:
        os.close(mount_fd)


def bind(ctx: InitContext, op: ops.Bind) -> None:
    """Bind a host path, or a descriptor that came with the plan."""
    try:
        if op.fd >= 0:
            tree = m.open_tree(ctx.passed_fds[op.fd], "", recursive=op.recursive)
        else:
            tree = clone_tree(op.source, recursive=op.recursive)
    except FileNotFoundError:
        if op.optional:
            return
        raise
    try:
        if stat.S_ISDIR(os.fstat(tree).st_mode):
            target = _ensure_directory(ctx, op.target, 0o755)
        else:
            target = _ensure_file(ctx, op.target)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(target)
        # Attributes after the move: an attached mount may be made read-only recursively over its submounts.
        if op.propagation:
            m.mount_setattr(tree, propagation=op.propagation & ~m.MS_REC, recursive=bool(op.propagation & m.MS_REC))
        if op.attr_set or op.attr_clear:
            m.mount_setattr(tree, attr_set=op.attr_set, attr_clear=op.attr_clear, recursive=op.recursive_attr)
    finally:
        os.close(tree)


def dev_node(ctx: InitContext, op: ops.DevNode) -> None:
    """Make a device node with its exact mode, whatever the umask."""
    parent, name = _open_parent(ctx, op.target)
    kinds = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
    try:
        try:
            os.mknod(name, kinds[op.kind] | op.mode, os.makedev(op.major, op.minor), dir_fd=parent)
        except FileExistsError:
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


def symlink(ctx: InitContext, op: ops.Symlink) -> None:
    """Make a symbolic link; what is there already stays."""
    parent, name = _open_parent(ctx, op.target)
    try:
        os.symlink(os.fsencode(op.content), name, dir_fd=parent)
    except FileExistsError:
        pass
    finally:
        os.close(parent)


def make_dir(ctx: InitContext, op: ops.MakeDir) -> None:
    """Make a directory and its parents."""
    try:
        os.close(_open_target(ctx, op.target))
        return
    except FileNotFoundError:
        pass
    fd = _ensure_directory(ctx, op.target, op.mode)
    try:
        if op.uid or op.gid:
            os.chown(f"/proc/self/fd/{fd}", op.uid, op.gid)
    finally:
        os.close(fd)


def mask(ctx: InitContext, op: ops.Mask) -> None:
    """Cover paths; one empty tmpfs serves all directories."""
    empty = -1
    try:
        for path in op.targets:
            try:
                target = _open_target(ctx, path)
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
    null = _open_target(ctx, "/dev/null", extra=RESOLVE_NO_SYMLINKS)
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
            target = _open_target(ctx, path)
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


def pivot_root(ctx: InitContext, _op: ops.PivotRoot) -> None:
    """Swap the roots on top of each other and drop the old one: no directory for it is needed."""
    old_root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fchdir(ctx.root_fd)
        m.pivot_root(".", ".")
        # The old root is on top of the new one now, where `.` does not look: go there by descriptor. Slave, so that the
        # detach does not reach the host.
        os.fchdir(old_root)
        m.mount(None, ".", None, m.MS_SLAVE | m.MS_REC)
        m.umount2(".", m.MNT_DETACH)
    finally:
        os.close(old_root)
    os.chdir("/")
    ctx.set_root(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


# --- looking up and making targets ---------------------------------------------------------------


def _relative(path: str) -> bytes:
    return os.fsencode(path).strip(b"/") or b"."


def _open_target(ctx: InitContext, path: str, extra: int = 0) -> int:
    return openat2(ctx.root_fd, _relative(path), os.O_PATH, resolve=_IN_ROOT | extra)


def _open_parent(ctx: InitContext, path: str) -> tuple[int, bytes]:
    parent, _, name = _relative(path).rpartition(b"/")
    if name in (b".", b".."):
        raise StepFailed(f"{path} has no last component")
    return _ensure_directory(ctx, os.fsdecode(b"/" + parent), 0o755), name


def _ensure_directory(ctx: InitContext, path: str, mode: int, *, no_symlinks: bool = False) -> int:
    """Open the directory `path` of the root, making what is missing.

    Raises:
        OSError: ELOOP when `no_symlinks` and a component is a symbolic link; ENOTDIR.
    """
    extra = RESOLVE_NO_SYMLINKS if no_symlinks else 0
    relative = _relative(path)
    try:
        return openat2(ctx.root_fd, relative, os.O_PATH | os.O_DIRECTORY, resolve=_IN_ROOT | extra)
    except FileNotFoundError:
        if relative == b".":
            raise
    parent, _, name = relative.rpartition(b"/")
    parent_fd = _ensure_directory(ctx, os.fsdecode(b"/" + parent), 0o755, no_symlinks=no_symlinks)
    try:
        try:
            os.mkdir(name, mode, dir_fd=parent_fd)
        except FileExistsError:
            pass
        return openat2(parent_fd, name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    finally:
        os.close(parent_fd)


def _ensure_file(ctx: InitContext, path: str) -> int:
    """Open the file `path` of the root as a mount target, making an empty one when missing."""
    try:
        return _open_target(ctx, path)
    except FileNotFoundError:
        pass
    parent, name = _open_parent(ctx, path)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            os.close(openat2(parent, name, flags, mode=0o644))
        except FileExistsError:
            pass
        return openat2(parent, name, os.O_PATH | os.O_NOFOLLOW)
    finally:
        os.close(parent)


# --- tmpcopyup ------------------------------------------------------------------------------------


def _copy_up(source_fd: int, target_mount: int) -> None:
    """Copy what the root has under a tmpfs into it, before it is covered."""
    source = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=source_fd)
    target = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=target_mount)
    try:
        _copy_directory(source, target, 0)
    finally:
        os.close(source)
        os.close(target)


def _copy_directory(source: int, target: int, depth: int) -> None:
    if depth > _COPY_UP_MAX_DEPTH:
        raise StepFailed("tmpcopyup: directories too deep")
    for entry in os.listdir(source):
        status = os.stat(entry, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(entry, 0o700, dir_fd=target)
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner_source = os.open(entry, flags, dir_fd=source)
            inner_target = os.open(entry, flags, dir_fd=target)
            try:
                _copy_directory(inner_source, inner_target, depth + 1)
            finally:
                os.close(inner_source)
                os.close(inner_target)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(entry, dir_fd=source), entry, dir_fd=target)
        elif stat.S_ISREG(status.st_mode):
            _copy_file(source, target, entry)
        else:
            continue
        os.chown(entry, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(entry, stat.S_IMODE(status.st_mode), dir_fd=target)


def _copy_file(source: int, target: int, name: str) -> None:
    read_fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=source)
    write_fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=target)
    try:
        while os.sendfile(write_fd, read_fd, None, 1 << 24):
            pass
    finally:
        os.close(read_fd)
        os.close(write_fd)
