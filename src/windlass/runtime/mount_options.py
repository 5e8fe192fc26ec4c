"""mount(8) words to kernel numbers.

Source: runtime-spec config.md, "Linux mount options"; mount_setattr(2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from windlass.linux import mount as m

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
_RECURSIVE = {f"r{word}": value for word, value in _ATTRIBUTES.items() if word != "relatime"}

PROPAGATION_FLAGS: dict[str, int] = {
    "private": m.MS_PRIVATE,
    "shared": m.MS_SHARED,
    "slave": m.MS_SLAVE,
    "unbindable": m.MS_UNBINDABLE,
}
PROPAGATION_FLAGS |= {f"r{word}": flag | m.MS_REC for word, flag in PROPAGATION_FLAGS.items()}

_IGNORED = frozenset({"defaults", "async", "mand", "nomand", "silent", "loud", "remount"})

OPTION_WORDS: frozenset[str] = (
    frozenset({"bind", "rbind", "tmpcopyup"}) | _ATTRIBUTES.keys() | _RECURSIVE.keys() | PROPAGATION_FLAGS.keys()
)


@dataclass(frozen=True, slots=True)
class MountOptions:
    """What the words of one mount come to.

    `data` goes to the file system. `attr_set` and `attr_clear` are MOUNT_ATTR_* bits, for the whole tree when
    `recursive_attr`; `propagation` is an MS_* number or 0.
    """

    bind: bool = False
    recursive: bool = False
    attr_set: int = 0
    attr_clear: int = 0
    recursive_attr: bool = False
    propagation: int = 0
    copy_up: bool = False
    data: tuple[tuple[str, str | None], ...] = ()


def parse_mount_options(words: Iterable[str]) -> MountOptions:
    """Read the words in order; a later one wins over an earlier one."""
    attr_set = attr_clear = propagation = 0
    bind = recursive = recursive_attr = copy_up = False
    data: list[tuple[str, str | None]] = []
    for word in words:
        if word in ("bind", "rbind"):
            bind, recursive = True, word == "rbind"
        elif word in _ATTRIBUTES or word in _RECURSIVE:
            recursive_attr = recursive_attr or word not in _ATTRIBUTES
            wanted, unwanted = _ATTRIBUTES.get(word) or _RECURSIVE[word]
            attr_set = attr_set & ~unwanted | wanted
            attr_clear = attr_clear & ~wanted | unwanted
        elif word in PROPAGATION_FLAGS:
            propagation = PROPAGATION_FLAGS[word]
        elif word == "tmpcopyup":
            copy_up = True
        elif word and word not in _IGNORED:
            key, separator, value = word.partition("=")
            data.append((key, value if separator else None))
    return MountOptions(bind, recursive, attr_set, attr_clear, recursive_attr, propagation, copy_up, tuple(data))
