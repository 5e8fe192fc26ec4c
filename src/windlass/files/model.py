"""What the engine tells a worker about a container's files, and what it is told."""

from __future__ import annotations

import msgspec


class Bind(msgspec.Struct, frozen=True, omit_defaults=True):
    """A directory or file of the host at `destination` of the container."""

    source: str
    destination: str
    read_only: bool = False


class Root(msgspec.Struct, frozen=True, omit_defaults=True):
    """The layers of a container: `lower` (top first) relative to `base`, its own `upper`, mounted at `target`.

    `binds` come parents first. All but `lower` are host paths.
    """

    base: str
    lower: list[str]
    upper: str
    work: str
    target: str
    options: str = ""
    binds: list[Bind] = []
    read_only: bool = False


class Where(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to get to the files: the root of a running container, which comes as a descriptor, or `root` to be mounted.

    `mapped` says that the running container's user namespace comes as the next descriptor.
    """

    root: Root | None = None
    mapped: bool = False


class PathStat(msgspec.Struct, frozen=True):
    """What is at a path. `mode` has the bits of st_mode; `link_target` is where a symbolic link leads, in the root."""

    name: str
    size: int
    mode: int
    mtime_ns: int
    link_target: str = ""


class StatParams(msgspec.Struct, frozen=True):
    """Which path to look at."""

    where: Where
    path: str


class ExtractParams(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to put an archive. `user` gets all its files, if one is named."""

    where: Where
    path: str
    no_overwrite: bool = False
    user: str = ""
