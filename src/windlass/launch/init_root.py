"""Steps that make the container's root, and make it `/`.

With a user namespace at hand the root is made outside of it, by the host's root, and stays detached until `AttachRoot`:
a mount that a user namespace inherits with its mount namespace cannot be moved or pivoted to.
"""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext, StepFailed
from windlass.launch.init_idmap import IdmappedLayers, MounterInside, map_ids
from windlass.launch.init_targets import open_target
from windlass.linux import mount as m
from windlass.spec import plan as ops

# mount(2) takes one page of options; a longer list of layers goes through fsconfig, one layer at a time.
_MOUNT_DATA_MAX = 4000


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
    fd = open_target(ctx, op.target)
    try:
        recursive = bool(op.flags & m.MS_REC)
        m.mount_setattr(fd, propagation=op.flags & ~m.MS_REC, recursive=recursive)
    finally:
        os.close(fd)


def overlay_root(ctx: InitContext, op: ops.OverlayRoot) -> None:
    """Mount the layers."""
    if ctx.userns_fd >= 0:
        ctx.root_mount = _detached_overlay(ctx, op)
        return
    mount_overlay(op)
    ctx.set_root(os.open(op.target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def mount_overlay(op: ops.OverlayRoot) -> None:
    """Mount the layers at the target; relative names keep the option string short. A layer may be an absolute path."""
    os.chdir(op.base)
    options = f"lowerdir={':'.join(op.lower)}"
    tail = f",upperdir={op.upper},workdir={op.work}" if op.upper else ""
    extra = f",{op.data}" if op.data else ""
    flags = m.MS_RDONLY if op.readonly else 0
    data = options + tail + extra
    if len(data) <= _MOUNT_DATA_MAX:
        m.mount("overlay", op.target, "overlay", flags, data)
    else:
        paths = [os.path.join(op.base, name) for name in op.lower]
        _attach_to_host_path(_new_overlay(op, paths, op.upper, op.work), op.target)
    os.chdir("/")


def _new_overlay(op: ops.OverlayRoot, lower: list[str], upper: str, work: str) -> int:
    """Return a detached overlay, of any number of layers (`lowerdir+`, Linux 6.8; before, what fits a page)."""
    options: list[tuple[str, str | None]]
    joined = ":".join(lower)
    if len(joined) < m.FSCONFIG_STRING_MAX:
        options = [("lowerdir", joined)]
    else:
        options = [("lowerdir+", path) for path in lower]
    if upper:
        options += [("upperdir", upper), ("workdir", work)]
    for item in filter(None, op.data.split(",")):
        key, separator, value = item.partition("=")
        options.append((key, value if separator else None))
    return m.fsmount("overlay", "overlay", options, m.MOUNT_ATTR_RDONLY if op.readonly else 0)


def _detached_overlay(ctx: InitContext, op: ops.OverlayRoot) -> int:
    lower = [f"{op.base}/{name}" for name in op.lower]
    if not op.idmap:
        return _new_overlay(op, lower, op.upper, op.work)
    with IdmappedLayers(ctx, op.target, lower, op.upper, op.work) as (mapped, upper, work), MounterInside(ctx):
        return _new_overlay(op, mapped, upper, work)


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
    if op.idmap:
        map_ids(tree, op.source, ctx.userns_fd, recursive=False)
    if op.readonly:
        m.mount_setattr(tree, attr_set=m.MOUNT_ATTR_RDONLY)
    if ctx.userns_fd >= 0:
        ctx.root_mount = tree
        return
    _attach_to_host_path(tree, op.source)
    ctx.set_root(os.open(op.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def use_root(ctx: InitContext, op: ops.UseRoot) -> None:
    """Take a directory as it is."""
    ctx.set_root(os.open(op.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


def attach_root(ctx: InitContext, op: ops.AttachRoot) -> None:
    """Attach the detached root in the mount namespace of the user namespace."""
    if ctx.root_mount < 0:
        raise StepFailed("there is no root to attach")
    target = os.open(op.target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        m.move_mount(ctx.root_mount, target)
    finally:
        os.close(target)
    ctx.set_root(ctx.root_mount)
    ctx.root_mount = -1


def pivot_root(ctx: InitContext, op: ops.PivotRoot) -> None:
    """Swap the roots on top of each other and drop the old one: no directory for it is needed."""
    if op.chroot:
        os.fchdir(ctx.root_fd)
        os.chroot(".")
        _enter_root(ctx)
        return
    if op.no_pivot:
        _move_root(ctx)
        return
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
    _enter_root(ctx)


def _move_root(ctx: InitContext) -> None:
    """Mount the root over `/` and chroot: the first root file system of a machine cannot be pivoted away from.

    chroot alone is no wall: a whole procfs or sysfs of the host, somewhere below the old root, is a way back out and
    would let the container mount its own without masks. They go first.
    """
    own = os.readlink(f"/proc/self/fd/{ctx.root_fd}")
    for place in _whole_proc_and_sys(own):
        m.mount(None, place, None, m.MS_PRIVATE | m.MS_REC)
        try:
            m.umount2(place, m.MNT_DETACH)
        except OSError:
            # Locked by a user namespace: it cannot be taken away, only covered.
            m.mount("tmpfs", place, "tmpfs", m.MS_RDONLY)
    os.fchdir(ctx.root_fd)
    m.mount(".", "/", None, m.MS_MOVE)
    os.chroot(".")
    _enter_root(ctx)


def _whole_proc_and_sys(own: str) -> list[str]:
    """List where procfs and sysfs are mounted outside the new root, the innermost first. Source: proc(5), mountinfo."""
    places = []
    with open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            fields, _, rest = line.partition(b" - ")
            words = fields.split()
            place = os.fsdecode(_unescape(words[4]))
            inside = place == own or place.startswith(f"{own}/")
            if rest.split()[0] in (b"proc", b"sysfs") and words[3] == b"/" and not inside:
                places.append(place)
    return places[::-1]


def _unescape(path: bytes) -> bytes:
    """Undo what the kernel does to white space in mountinfo; the backslash last."""
    for escaped, letter in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        path = path.replace(escaped, letter)
    return path


def _enter_root(ctx: InitContext) -> None:
    os.chdir("/")
    ctx.set_root(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
