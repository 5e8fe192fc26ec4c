"""Operations that build the root file system: mounts, devices, links, what is covered."""

from __future__ import annotations

from windlass.spec.plan_namespaces import IdRange
from windlass.spec.plan_op import Op


class Propagation(Op, frozen=True):
    """Set the propagation of the whole mount tree (before the root) or of `target` inside the root.

    With `holder_of`, a host path, it is that of the one mount which the path lies on.
    """

    flags: int
    target: str = ""
    holder_of: str = ""

    def describe(self) -> str:
        return f"set mount propagation of {self.target or self.holder_of or '/'}"


class OverlayRoot(Op, frozen=True):
    """Mount an overlay at host path `target` and make it the new root; `lower` is top first, relative to `base`.

    With `idmap` every layer is seen through the user namespace at hand, so that one copy on disk serves all mappings.
    With a user namespace at hand the root is attached only after `EnterUserNs`, by `AttachRoot`.
    """

    target: str
    base: str
    lower: list[str]
    upper: str = ""
    work: str = ""
    readonly: bool = False
    data: str = ""
    idmap: bool = False

    def describe(self) -> str:
        return f"mount overlay of {len(self.lower)} layers"


class BindRoot(Op, frozen=True):
    """Make the host directory `source` the new root (bundles, and images of no layer); `idmap` as for an overlay."""

    source: str
    readonly: bool = False
    idmap: bool = False

    def describe(self) -> str:
        return f"bind root {self.source}"


class UseRoot(Op, frozen=True):
    """Use the directory `path` of a joined mount namespace as the root, without a mount of its own."""

    path: str

    def describe(self) -> str:
        return f"use root {self.path}"


class AttachRoot(Op, frozen=True):
    """Attach the detached root at host path `target`, in the present mount namespace."""

    target: str

    def describe(self) -> str:
        return f"attach the root at {self.target}"


class MountFs(Op, frozen=True):
    """Mount a new file system instance at `target`.

    `attr` are MOUNT_ATTR_* bits, `options` file system parameters (a missing value is a flag). `copy_up` fills a tmpfs
    with what the image has at `target`.
    """

    fstype: str
    target: str
    source: str = ""
    attr: int = 0
    options: list[tuple[str, str | None]] = []
    mode: int = 0o755
    copy_up: bool = False
    optional: bool = False
    propagation: int = 0
    recursive_attr_set: int = 0
    recursive_attr_clear: int = 0

    def describe(self) -> str:
        return f"mount {self.fstype} at {self.target}"


class Bind(Op, frozen=True):
    """Bind the host path `source` (or passed descriptor `fd`) at `target`, made when missing.

    `attr_set` and `attr_clear` are MOUNT_ATTR_* bits of the mount, `recursive_attr_*` those of the whole tree;
    `propagation` is an MS_* propagation flag or 0. `idmap` shows the ids of the source through the user namespace at
    hand, or through one with `uid_map` and `gid_map` when given; its tree is cloned before `EnterUserNs` (see
    `PrepareBinds`).
    """

    source: str
    target: str
    recursive: bool = True
    attr_set: int = 0
    attr_clear: int = 0
    recursive_attr_set: int = 0
    recursive_attr_clear: int = 0
    propagation: int = 0
    fd: int = -1
    optional: bool = False
    idmap: bool = False
    recursive_idmap: bool = False
    uid_map: list[IdRange] = []
    gid_map: list[IdRange] = []

    def describe(self) -> str:
        return f"bind {self.source or f'#{self.fd}'} at {self.target}"


class PrepareBinds(Op, frozen=True):
    """Clone the sources of all later `Bind` ops while still in the host's user namespace, and map their ids.

    Afterwards the host's paths may be out of reach, and mapped mounts can no longer be made.
    """

    def describe(self) -> str:
        return "clone the sources of binds"


class Remount(Op, frozen=True):
    """Change the mount at `target`: MOUNT_ATTR_* bits of the mount, `options` of its file system."""

    target: str
    attr_set: int = 0
    attr_clear: int = 0
    options: list[tuple[str, str | None]] = []

    def describe(self) -> str:
        return f"remount {self.target}"


class DevNode(Op, frozen=True):
    """Make a device node at `target`; `kind` is `c`, `b` or `p`. Inside a user namespace the host's node is bound."""

    target: str
    kind: str
    major: int
    minor: int
    mode: int = 0o666
    uid: int = 0
    gid: int = 0

    def describe(self) -> str:
        return f"make device {self.target}"


class Symlink(Op, frozen=True):
    """Make the symbolic link `target` that points to `content`; one that exists stays."""

    target: str
    content: str

    def describe(self) -> str:
        return f"link {self.target} to {self.content}"


class MakeDir(Op, frozen=True):
    """Make the directory `target` and its parents; one that exists stays."""

    target: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0

    def describe(self) -> str:
        return f"make directory {self.target}"


class Console(Op, frozen=True):
    """Allocate the process's terminal in the devpts of the root, give its master to the supervisor.

    With `bind` (a container's first process), also bind it at /dev/console. Comes after devpts is mounted and before
    PivotRoot; in an exec, after JoinTarget.
    """

    bind: bool = True

    def describe(self) -> str:
        return "allocate a terminal"


class PivotRoot(Op, frozen=True):
    """Make the new root `/` and forget the old one; `no_pivot` moves the mount and chroots (roots on a ramdisk).

    With `chroot` that is all: the mount namespace was joined, and others go on in it.
    """

    no_pivot: bool = False
    chroot: bool = False

    def describe(self) -> str:
        if self.chroot:
            return "chroot"
        return "move the root" if self.no_pivot else "pivot_root"


class Mask(Op, frozen=True):
    """Hide paths: /dev/null over files, an empty read-only tmpfs over directories; missing ones are skipped."""

    targets: list[str]

    def describe(self) -> str:
        return f"mask {len(self.targets)} paths"


class ReadOnlyPaths(Op, frozen=True):
    """Make paths read-only by binding them onto themselves; missing ones are skipped."""

    targets: list[str]

    def describe(self) -> str:
        return f"make {len(self.targets)} paths read-only"


class ReadOnlyRoot(Op, frozen=True):
    """Make the root mount read-only."""

    def describe(self) -> str:
        return "make the root read-only"
