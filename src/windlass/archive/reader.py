"""A streaming tar reader that trusts nothing: v7, ustar, star, GNU and PAX archives, names as bytes.

Where dialects disagree it reads as Go's archive/tar does, because that is what wrote and will read most container
layers: a scanner and the engine must see the same files. Global PAX headers are therefore skipped, not applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from windlass.archive import header, pax, sparse
from windlass.archive.entry import BLOCK, Kind, TarEntry
from windlass.archive.errors import TarCorrupt, TarTruncated, TooLarge
from windlass.archive.header import parse_size, parse_text
from windlass.archive.source import ByteSource, Readable

MAX_META_HEADERS = 16

_KINDS = {kind.value: kind for kind in Kind} | {b"\0": Kind.FILE, b"7": Kind.FILE, b"S": Kind.FILE}
_META_FLAGS = frozenset(b"xgXLK")
_OLD_SPARSE = ord("S")
_MODE_BITS = 0o7777
_NO_XATTRS: dict[bytes, bytes] = {}


class TarReader:
    """Iterates over the entries of one archive; `read_view` gives the present entry's data.

    Data not read is skipped at the next entry. What follows the last one is not read: `drain` does that.
    """

    def __init__(self, stream: Readable | ByteSource) -> None:
        self.source = stream if isinstance(stream, ByteSource) else ByteSource(stream)
        self._remaining = 0
        self._padding = 0

    def __iter__(self) -> Iterator[TarEntry]:
        while (entry := self.next()) is not None:
            yield entry

    def next(self) -> TarEntry | None:
        """Return the next entry, or None at the end of the archive.

        Raises:
            TarCorrupt: the header is malformed.
            TarTruncated: the stream ends inside a header or a file.
            TooLarge: an extended header or sparse map exceeds its bound.
        """
        records: pax.Records = []
        long_name = long_link = b""
        for count in range(MAX_META_HEADERS):
            block = self._next_block()
            if block is None:
                if count:
                    raise TarTruncated()
                return None
            flag = block[156]
            if flag not in _META_FLAGS:
                return self._entry(block, records, long_name, long_link)
            body = self._meta_body(block)
            if flag in b"xX":
                records = pax.parse_records(body)
            elif flag == ord("L"):
                long_name = parse_text(body)
            elif flag == ord("K"):
                long_link = parse_text(body)
        raise TarCorrupt("too many extended headers")

    def read_view(self, limit: int) -> memoryview:
        """Return the next piece of the entry's data, at most `limit` bytes; good until the next call, empty at the end.

        Raises:
            TarTruncated: the stream ends before the data does.
        """
        if not self._remaining:
            return memoryview(b"")
        view = self.source.view(min(limit, self._remaining))
        self._remaining -= len(view)
        return view

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes of the entry's stored data, all of it by default; empty at its end.

        Raises:
            TarTruncated: the stream ends before the data does.
        """
        count = self._remaining if size < 0 else min(size, self._remaining)
        parts = []
        while count:
            view = self.source.view(count)
            parts.append(bytes(view))
            count -= len(view)
            self._remaining -= len(view)
        return b"".join(parts)

    def drain(self) -> None:
        """Read what follows the archive, so that whoever hashes the stream has seen all of it."""
        self.source.drain()

    def _next_block(self) -> bytes | None:
        if self._remaining or self._padding:
            self.source.skip(self._remaining + self._padding)
            self._remaining = self._padding = 0
        block = self.source.take(BLOCK)
        if not block:
            return None
        if len(block) != BLOCK:
            raise TarTruncated()
        if block[0] == 0 and block == header.ZERO_BLOCK:
            self._check_end()
            return None
        if not header.has_valid_checksum(block):
            raise TarCorrupt()
        return block

    def _check_end(self) -> None:
        second = self.source.take(BLOCK)
        if second and len(second) != BLOCK:
            raise TarTruncated()
        if second and second != header.ZERO_BLOCK:
            raise TarCorrupt()

    def _meta_body(self, block: bytes) -> bytes:
        size = parse_size(block[header.SIZE])
        if size > pax.MAX_BLOCK_BYTES:
            raise TooLarge("extended tar header", pax.MAX_BLOCK_BYTES)
        body = self.source.take_exactly(size)
        self._padding = -size % BLOCK
        return body

    def _entry(self, block: bytes, records: pax.Records, long_name: bytes, long_link: bytes) -> TarEntry:
        kind = _KINDS.get(block[header.TYPEFLAG])
        if kind is None:
            raise TarCorrupt(f"unhandled tar header type {block[156]}")
        fields = header.decode(block)
        if records:
            fields = _overridden(fields, dict(records))
        name = long_name or fields.name
        if block[156] == 0 and name.endswith(b"/"):
            kind = Kind.DIRECTORY
        stored, runs, size = 0, None, 0
        if kind is Kind.FILE:
            stored = size = fields.size
            # The padding follows the whole stored size, of which a map may take a part.
            self._padding = -stored % BLOCK
            if records or block[156] == _OLD_SPARSE:
                size, stored, runs = sparse.read_layout(self.source, block, records, stored)
            self._remaining = stored
        return TarEntry(
            name=name,
            kind=kind,
            mode=fields.mode & _MODE_BITS,
            uid=fields.uid,
            gid=fields.gid,
            size_bytes=size,
            stored_bytes=stored,
            mtime_ns=fields.mtime_ns,
            linkname=long_link or fields.linkname,
            uname=fields.uname,
            gname=fields.gname,
            major=fields.major,
            minor=fields.minor,
            xattrs=_xattrs(records) if records else _NO_XATTRS,
            sparse=runs,
        )


def _overridden(fields: header.Fields, values: dict[bytes, bytes]) -> header.Fields:
    """Return `fields` with what PAX records say instead; an empty value leaves the header's."""
    changes: dict[str, bytes | int] = {}
    for key, (attribute, parse) in _PAX_KEYS.items():
        if text := values.get(key):
            changes[attribute] = parse(text)
    if sparse_name := values.get(b"GNU.sparse.name"):
        changes["name"] = sparse_name
    return structs.replace(fields, **changes)


def _verbatim(text: bytes) -> bytes:
    return text


def _natural(text: bytes) -> int:
    value = pax.parse_integer(text)
    if not 0 <= value <= header.MAX_SIZE:
        raise TarCorrupt(f"invalid number {value}")
    return value


_PAX_KEYS: dict[bytes, tuple[str, Callable[[bytes], bytes | int]]] = {
    b"path": ("name", _verbatim),
    b"linkpath": ("linkname", _verbatim),
    b"size": ("size", _natural),
    b"uid": ("uid", _natural),
    b"gid": ("gid", _natural),
    b"uname": ("uname", _verbatim),
    b"gname": ("gname", _verbatim),
    b"mtime": ("mtime_ns", pax.parse_time_ns),
}


def _xattrs(records: pax.Records) -> dict[bytes, bytes]:
    start = len(pax.XATTR_PREFIX)
    return {key[start:]: value for key, value in records if key.startswith(pax.XATTR_PREFIX)}
