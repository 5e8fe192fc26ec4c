"""Applies a layer's tar below a root directory. Source: OCI image-spec v1.1, layer.md, "Applying Changesets".

Runs chrooted and with few capabilities in a worker (`windlass.archive.worker`), and is safe without: every path is
resolved below the root by the kernel, nothing existing is ever written through, and what an entry replaces is unlinked.
What the peers do where the specification is silent (the root's own entry ignored, a leading slash meaning the root,
missing parents made 0755) is done here too.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from windlass.archive import attributes, make, whiteouts
from windlass.archive.applied_whiteouts import OverlayWhiteouts, RemovingWhiteouts, WhiteoutSink
from windlass.archive.entry import Kind, TarEntry
from windlass.archive.errors import EntryRefused, TooLarge, explained
from windlass.archive.paths import clean
from windlass.archive.reader import TarReader
from windlass.archive.source import Readable
from windlass.archive.tree import Tree
from windlass.archive.whiteouts import Meaning

_MAX_ID = (1 << 32) - 2


class WhiteoutMode(Enum):
    """What a whiteout does: `OVERLAY` writes overlay's own form, `REMOVE` removes what is there."""

    OVERLAY = "overlay"
    REMOVE = "remove"


class ApplyLimits(msgspec.Struct, frozen=True):
    """Bounds on one archive: entries, with the directories they imply, and the sum of file sizes in bytes."""

    max_entries: int = 8_000_000
    max_bytes: int = 1 << 40


class ApplyResult(msgspec.Struct, frozen=True):
    """What was applied. `size_bytes` is the sum of the regular files' sizes, as `docker history` shows it."""

    size_bytes: int
    entries: int
    skipped_xattrs: int = 0


def apply_layer(
    stream: Readable,
    root_fd: int,
    *,
    whiteout_mode: WhiteoutMode = WhiteoutMode.OVERLAY,
    limits: ApplyLimits | None = None,
) -> ApplyResult:
    """Apply the uncompressed tar `stream` below the directory `root_fd`, and read the stream to its end.

    On an error the root holds part of the layer: the caller throws it away.

    Raises:
        EntryRefused: an entry leaves the root, forges overlay's marks or cannot exist.
        TarCorrupt, TarTruncated: the archive is not whole.
        TooLarge: `limits` are exceeded.
        System: the host refused; a full disk reads "no space left on device".
    """
    with Tree(root_fd) as tree:
        sink = OverlayWhiteouts(tree) if whiteout_mode is WhiteoutMode.OVERLAY else RemovingWhiteouts(tree)
        return _Application(tree, TarReader(stream), sink, limits or ApplyLimits()).run()


class _Application:
    """One layer on its way into one tree."""

    def __init__(self, tree: Tree, reader: TarReader, sink: WhiteoutSink, limits: ApplyLimits) -> None:
        self._tree = tree
        self._reader = reader
        self._sink = sink
        self._limits = limits
        self._size_bytes = 0
        self._skipped_xattrs = 0
        # Set last, for every entry made inside a directory changes its time.
        self._directory_times: dict[bytes, int] = {}

    def run(self) -> ApplyResult:
        entries = 0
        entry: TarEntry | None = None
        try:
            for entry in self._reader:
                entries += 1
                self._check(entry, entries)
                self._apply(entry)
            self._set_directory_times()
            self._reader.drain()
        except OSError as error:
            raise explained(error, entry.name if entry is not None else None) from error
        return ApplyResult(self._size_bytes, entries, self._skipped_xattrs)

    def _check(self, entry: TarEntry, count: int) -> None:
        if count + self._tree.implied > self._limits.max_entries:
            raise TooLarge("number of archive entries", self._limits.max_entries)
        self._size_bytes += entry.size_bytes
        if self._size_bytes > self._limits.max_bytes:
            raise TooLarge("size of the archive's files", self._limits.max_bytes)
        if entry.uid > _MAX_ID or entry.gid > _MAX_ID:
            raise EntryRefused(entry.name, f"owner {entry.uid}:{entry.gid} is out of range")

    def _apply(self, entry: TarEntry) -> None:
        path = clean(entry.name)
        if not path:
            if entry.kind is not Kind.DIRECTORY:
                raise EntryRefused(entry.name, "takes the place of the root")
            return
        parent, _, base = path.rpartition(b"/")
        meaning = whiteouts.meaning(path)
        if meaning is Meaning.META:
            return
        self._sink.prepare(path)
        if meaning is Meaning.WHITEOUT:
            self._sink.white_out(parent, whiteouts.hidden_name(base))
        elif meaning is Meaning.OPAQUE:
            self._sink.make_opaque(parent)
        else:
            self._make(entry, self._tree.directory(parent), base)
            directory = entry.kind is Kind.DIRECTORY
            self._sink.made(path, directory=directory)
            if directory:
                self._directory_times[path] = attributes.bounded_time(entry.mtime_ns)

    def _make(self, entry: TarEntry, parent_fd: int, base: bytes) -> None:
        try:
            self._make_new(entry, parent_fd, base)
        except FileExistsError:
            self._tree.remove(parent_fd, base)
            self._make_new(entry, parent_fd, base)

    def _make_new(self, entry: TarEntry, parent_fd: int, base: bytes) -> None:
        kind = entry.kind
        if kind is Kind.FILE:
            self._skipped_xattrs += make.make_file(self._reader, entry, parent_fd, base)
        elif kind is Kind.DIRECTORY:
            self._skipped_xattrs += make.make_directory(entry, parent_fd, base)
        elif kind is Kind.SYMLINK:
            make.make_symlink(entry, parent_fd, base)
        elif kind is Kind.HARDLINK:
            make.make_link(self._tree, entry, parent_fd, base)
        else:
            make.make_node(entry, parent_fd, base)

    def _set_directory_times(self) -> None:
        for path, mtime_ns in reversed(self._directory_times.items()):
            parent, _, base = path.rpartition(b"/")
            parent_fd = self._tree.existing_directory(parent)
            if parent_fd is None:
                continue
            try:
                attributes.set_time_by_name(parent_fd, base, mtime_ns)
            except FileNotFoundError:
                # A later entry replaced it.
                pass
