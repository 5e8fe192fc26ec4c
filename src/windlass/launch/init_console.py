"""The process's terminal."""

from __future__ import annotations

import os

from windlass.launch.init_context import InitContext
from windlass.linux import mount as m
from windlass.linux import terminal
from windlass.linux.descriptors import send_fds, socket_of
from windlass.linux.fs import RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, openat2
from windlass.spec import plan as ops


def console(ctx: InitContext, op: ops.Console) -> None:
    """Make a terminal in the container's own devpts, so that `tty` inside knows its name.

    The slave is opened through its master, never by the path in /dev/pts, and bound by descriptor (CVE-2025-52565).
    """
    master = openat2(
        ctx.root_fd,
        b"dev/pts/ptmx",
        os.O_RDWR | os.O_NOCTTY,
        resolve=RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    )
    slave = terminal.open_terminal(master)
    if ctx.rows or ctx.columns:
        terminal.set_window_size(master, ctx.rows, ctx.columns)
    with_master = socket_of(ctx.terminal_socket)
    send_fds(with_master, b"t", [master])
    with_master.close()
    os.close(master)
    if op.bind:
        _bind_console(ctx, slave)
    for number in range(3):
        os.dup2(slave, number, inheritable=True)
    if slave > 2:
        os.close(slave)
    terminal.set_controlling_terminal(0)


def _bind_console(ctx: InitContext, slave: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS
    try:
        target = openat2(ctx.root_fd, b"dev/console", os.O_PATH, resolve=resolve)
    except FileNotFoundError:
        os.close(openat2(ctx.root_fd, b"dev/console", flags, mode=0o600, resolve=resolve))
        target = openat2(ctx.root_fd, b"dev/console", os.O_PATH, resolve=resolve)
    try:
        tree = m.open_tree(slave, "", recursive=False)
        try:
            m.move_mount(tree, target)
        finally:
            os.close(tree)
    finally:
        os.close(target)
