"""Making a user namespace without living in it.

Only another process can write the maps of a namespace that maps more than its maker: a child makes it, the caller maps
it, and it outlives the child by its descriptor.

What uses such a namespace to map a mount (`MOUNT_ATTR_IDMAP`) must know: whoever creates through that mount must itself
be mapped, or the kernel answers EOVERFLOW. The host's root is not. An overlay creates with the identity of whoever
mounted it, so its mounter sets its file system ids (setfsuid(2)) to those of the namespace's root, and takes back the
capabilities that this costs; mounted as the host's root it comes out read-only, without an error.

Source: user_namespaces(7), "Defining user and group ID mappings"; mount_setattr(2), "ID-mapped mounts".
"""

from __future__ import annotations

import os

from windlass.linux.namespaces import CLONE_NEWUSER, unshare
from windlass.linux.process import set_dumpable
from windlass.spec.plan import IdRange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_RANGES = 340


def new_user_namespace(uids: Sequence[IdRange], gids: Sequence[IdRange]) -> int:
    """Make a user namespace with these maps, a child of the caller's, and return its descriptor.

    Forks: only for single-threaded processes (law 1) that do not ignore SIGCHLD.

    Raises:
        OSError: user namespaces are off or used up, or the kernel refuses a map; the text names the ranges.
    """
    told_read, told_write = os.pipe2(os.O_CLOEXEC)
    end_read, end_write = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
        if pid == 0:
            _hold_new_namespace(told_write, end_read, end_write)
        os.close(told_write)
        told_write = -1
        try:
            told = os.read(told_read, 8)
            if number := int.from_bytes(told[:4], "little"):
                raise OSError(number, f"unshare user namespace: {os.strerror(number)}")
            return _map(int.from_bytes(told[4:], "little"), uids, gids)
        finally:
            os.close(end_write)
            end_write = -1
            os.waitpid(pid, 0)
    finally:
        for fd in (told_read, told_write, end_read, end_write):
            if fd >= 0:
                os.close(fd)


def _hold_new_namespace(told_write: int, end_read: int, end_write: int) -> None:
    """In the child: make the namespace, say how that went, and keep it until the parent is done or gone."""
    try:
        os.close(end_write)
        if os.geteuid() != 0:
            # Or its files in /proc would be root's, and the caller could not write its maps.
            set_dumpable(True)
        number = 0
        try:
            unshare(CLONE_NEWUSER)
        except OSError as error:
            number = error.errno or 1
        # Its pid as /proc numbers it: the caller may be in a pid namespace of its own.
        seen = int(os.readlink("/proc/self"))
        os.write(told_write, number.to_bytes(4, "little") + seen.to_bytes(4, "little"))
        os.read(end_read, 1)
    finally:
        os._exit(0)


def _map(pid: int, uids: Sequence[IdRange], gids: Sequence[IdRange]) -> int:
    fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.geteuid() != 0:
            _deny_setgroups(pid)
        _write_map(pid, "uid", uids)
        _write_map(pid, "gid", gids)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _deny_setgroups(pid: int) -> None:
    """Give up changing groups: an ordinary user may map a group only then (CVE-2014-8989)."""
    fd = os.open(f"/proc/{pid}/setgroups", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"deny")
    finally:
        os.close(fd)


def _write_map(pid: int, kind: str, ranges: Sequence[IdRange]) -> None:
    """Write one map: all of it at once, as the kernel wants it."""
    text = "".join(f"{one.inside} {one.outside} {one.size}\n" for one in ranges)
    fd = os.open(f"/proc/{pid}/{kind}_map", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        shown = ", ".join(f"{one.inside}:{one.outside}:{one.size}" for one in ranges[:4])
        more = ", ..." if len(ranges) > 4 else ""
        raise OSError(error.errno, f"map {kind}s {shown}{more}: {error.strerror}") from None
    finally:
        os.close(fd)
