"""mount(8) words to kernel numbers.

Source: runtime-spec config.md, "Linux mount options"; mount_setattr(2).
"""

from __future__ import annotations

from windlass.linux import mount as m
from windlass.spec import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Word: attributes to set, attributes to clear. An `r` before most of them means the whole tree.
_ATTRIBUTES: dict[str, tuple[int, int]] = {
    "ro": (m.MOUNT_ATTR_RDONLY, 0),
    "rw": (0, m.MOUNT_ATTR_RDONLY),
    "nosuid": (m.MOUNT_ATTR_NOSUID, 0),
    "suid": (0, m.MOUNT_ATTR_NOSUID),
    "nodev": (m.MOUNT_ATTR_NODEV, 0),
    "dev": (0, m.MOUNT_ATTR_NODEV),
    "noexec": (m.MOUNT_ATTR_NOEXEC, 0),
    "exec": (0, m.MOUNT_ATTR_NOEXEC),
    "nodiratime": (m.MOUNT_ATTR_NODIRATIME, 0),
    "diratime": (0, m.MOUNT_ATTR_NODIRATIME),
    "relatime": (m.MOUNT_ATTR_RELATIME, m.MOUNT_ATTR__ATIME),
    "norelatime": (m.MOUNT_ATTR_STRICTATIME, m.MOUNT_ATTR__ATIME),
    "noatime": (m.MOUNT_ATTR_NOATIME, m.MOUNT_ATTR__ATIME),
    "atime": (m.MOUNT_ATTR_RELATIME, m.MOUNT_ATTR__ATIME),
    "strictatime": (m.MOUNT_ATTR_STRICTATIME, m.MOUNT_ATTR__ATIME),
    "nostrictatime": (m.MOUNT_ATTR_RELATIME, m.MOUNT_ATTR__ATIME),
    "nosymfollow": (m.MOUNT_ATTR_NOSYMFOLLOW, 0),
    "symfollow": (0, m.MOUNT_ATTR_NOSYMFOLLOW),
}
_RECURSIVE = {f"r{word}": value for word, value in _ATTRIBUTES.items()}

PROPAGATION_FLAGS: dict[str, int] = {
    "private": m.MS_PRIVATE,
    "shared": m.MS_SHARED,
    "slave": m.MS_SLAVE,
    "unbindable": m.MS_UNBINDABLE,
}
PROPAGATION_FLAGS |= {f"r{word}": flag | m.MS_REC for word, flag in PROPAGATION_FLAGS.items()}

# Defaults, and what kernels of today do not let a mount choose.
_IGNORED = frozenset({"defaults", "async", "mand", "nomand", "silent", "loud", "iversion", "noiversion"})
# These are flags of the file system: it gets them like its own.
_FILE_SYSTEM_FLAGS = frozenset({"sync", "dirsync", "lazytime", "nolazytime"})

OPTION_WORDS: frozenset[str] = (
    frozenset({"bind", "rbind", "remount", "tmpcopyup", "idmap", "ridmap"})
    | _ATTRIBUTES.keys()
    | _RECURSIVE.keys()
    | PROPAGATION_FLAGS.keys()
)

KNOWN_WORDS: frozenset[str] = OPTION_WORDS | _IGNORED | _FILE_SYSTEM_FLAGS


class MountOptions(struct.Struct, frozen=True):
    """What the words of one mount come to.

    `data` goes to the file system. `attr_set` and `attr_clear` are MOUNT_ATTR_* bits of the mount, `recursive_attr_*`
    those of the whole tree; `propagation` is an MS_* number or 0.
    """

    bind: bool = False
    recursive: bool = False
    remount: bool = False
    attr_set: int = 0
    attr_clear: int = 0
    recursive_attr_set: int = 0
    recursive_attr_clear: int = 0
    propagation: int = 0
    copy_up: bool = False
    idmap: bool = False
    recursive_idmap: bool = False
    data: tuple[tuple[str, str | None], ...] = ()


def parse_mount_options(words: Iterable[str]) -> MountOptions:
    """Read the words in order; a later one wins over an earlier one."""
    own, deep = _Attributes(), _Attributes()
    propagation = 0
    seen: set[str] = set()
    recursive = False
    data: list[tuple[str, str | None]] = []
    for word in words:
        if word in ("bind", "rbind"):
            recursive = word == "rbind"
            seen.add("bind")
        elif word in _ATTRIBUTES:
            own.apply(_ATTRIBUTES[word])
        elif word in _RECURSIVE:
            deep.apply(_RECURSIVE[word])
        elif word in PROPAGATION_FLAGS:
            propagation = PROPAGATION_FLAGS[word]
        elif word in OPTION_WORDS:
            seen.add(word)
        elif word and word not in _IGNORED:
            key, separator, value = word.partition("=")
            data.append((key, value if separator else None))
    return MountOptions(
        bind="bind" in seen,
        recursive=recursive,
        remount="remount" in seen,
        attr_set=own.set,
        attr_clear=own.clear,
        recursive_attr_set=deep.set,
        recursive_attr_clear=deep.clear,
        propagation=propagation,
        copy_up="tmpcopyup" in seen,
        idmap=bool(seen & {"idmap", "ridmap"}),
        recursive_idmap="ridmap" in seen,
        data=tuple(data),
    )


class _Attributes:
    """Bits to set and to clear; the last word about a bit counts."""

    def __init__(self) -> None:
        self.set = self.clear = 0

    def apply(self, word: tuple[int, int]) -> None:
        wanted, unwanted = word
        self.set = self.set & ~unwanted | wanted
        self.clear = self.clear & ~wanted | unwanted
