"""Options of tmpfs mounts.

Source: Docker, "tmpfs mounts"; tmpfs(5).
"""

from __future__ import annotations

from collections.abc import Iterable

from windlass.base.errors import InvalidParameter
from windlass.spec.container import TmpfsOptions

DEFAULT_OPTIONS = ("noexec", "nosuid", "nodev", "rprivate")

# Each flag and the one that it undoes.
_OPPOSITES = {
    "ro": "rw",
    "nosuid": "suid",
    "nodev": "dev",
    "noexec": "exec",
    "sync": "async",
    "noatime": "atime",
    "nodiratime": "diratime",
    "norelatime": "relatime",
    "nostrictatime": "strictatime",
}
_FLAGS = (
    frozenset(_OPPOSITES)
    | frozenset(_OPPOSITES.values())
    | {"defaults", "remount", "dirsync", "mand", "nomand", "bind", "rbind"}
    | {"private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"}
    | {"tmpcopyup"}
)
_KEYS = frozenset({"size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "mpol"})
_SUFFIXES = (("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10))


def merge_options(options: Iterable[str]) -> list[str]:
    """Drop what a later option overrides: the last word of a key, of a flag and of its opposite counts.

    Raises:
        InvalidParameter: an option that tmpfs does not have.
    """
    kept: list[str] = []
    seen: set[str] = set()
    for option in reversed(list(options)):
        if option == "defaults":
            continue
        key, separator, _ = option.partition("=")
        if key not in (_KEYS if separator else _FLAGS):
            raise InvalidParameter(f'Invalid tmpfs option "{option}"')
        kind = key if separator else _OPPOSITES.get(key, key)
        if kind not in seen:
            seen.add(kind)
            kept.append(option)
    return kept[::-1]


def format_options(options: TmpfsOptions | None, *, read_only: bool) -> str:
    """Write the options of a `--mount type=tmpfs` as `--tmpfs` takes them.

    Raises:
        InvalidParameter: malformed extra options.
    """
    words = ["ro"] if read_only else []
    if options is not None:
        if options.mode:
            words.append(f"mode={options.mode:o}")
        if options.size_bytes:
            words.append(f"size={_short_size(options.size_bytes)}")
        words += [_extra(option) for option in options.options or ()]
    return ",".join(words)


def _extra(option: list[str]) -> str:
    if not 1 <= len(option) <= 2:
        raise InvalidParameter("invalid option array length")
    if option[0] not in ("exec", "noexec"):
        raise InvalidParameter(f"invalid option: {option[0]}")
    return "=".join(option)


def _short_size(size_bytes: int) -> str:
    for suffix, unit in _SUFFIXES:
        if size_bytes % unit == 0:
            return f"{size_bytes // unit}{suffix}"
    return str(size_bytes)
