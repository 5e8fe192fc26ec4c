"""A tar writer whose output depends on the entries alone: ustar, with PAX headers where ustar cannot say it.

Source: POSIX pax, "ustar Interchange Format" and "pax Extended Header".
"""

from __future__ import annotations

from windlass.archive import header, pax
from windlass.archive.entry import BLOCK, Kind, TarEntry
from windlass.archive.errors import EntryRefused
from windlass.archive.header import is_octal, seal
from windlass.archive.sink import Sink

_RECORD_BYTES = 20 * BLOCK
_SECOND_NS = 1_000_000_000


class TarWriter:
    """Writes entries to a sink. `finish` ends the archive; without it the archive is not whole."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._count = 0

    def add(self, entry: TarEntry, data: bytes = b"") -> None:
        """Write an entry, with `data` as the content of a regular file.

        Raises:
            EntryRefused: a tar cannot say it, or `data` is not as long as `entry.size_bytes`.
            OSError: of the sink.
        """
        if len(data) != entry.size_bytes:
            raise EntryRefused(entry.name, f"has {len(data)} bytes instead of {entry.size_bytes}")
        self._add_header(entry)
        self._write(data + bytes(-len(data) % BLOCK))

    def add_from(self, entry: TarEntry, fd: int) -> None:
        """Write a regular file whose content is read from `fd`.

        A file that is being written meanwhile stays what its header says: cut, or filled with zeros.

        Raises:
            EntryRefused: a tar cannot say it.
            OSError: of the sink, or of reading.
        """
        self._add_header(entry)
        copied = self._sink.copy_from(fd, entry.size_bytes)
        self._count += copied
        missing = entry.size_bytes - copied
        while missing:
            step = min(missing, 1 << 20)
            self._write(bytes(step))
            missing -= step
        self._write(bytes(-entry.size_bytes % BLOCK))

    def finish(self) -> None:
        """Write the end of the archive, filled up to a whole record as tar(1) does, and flush the sink.

        Raises:
            OSError: of the sink.
        """
        self._write(bytes(2 * BLOCK))
        self._write(bytes(-self._count % _RECORD_BYTES))
        self._sink.flush()

    def _add_header(self, entry: TarEntry) -> None:
        if entry.sparse is not None or entry.mode & ~0o7777 or entry.uid < 0 or entry.gid < 0:
            raise EntryRefused(entry.name, "cannot be written")
        records = _records(entry)
        if records:
            self._add_records(entry, records)
        self._write(_block(entry, entry.kind.value))

    def _add_records(self, entry: TarEntry, records: pax.Records) -> None:
        body = pax.format_records(records)
        if len(body) > pax.MAX_BLOCK_BYTES:
            raise EntryRefused(entry.name, "has too many extended attributes")
        base = entry.name.rstrip(b"/").rpartition(b"/")[2]
        about = TarEntry(name=b"PaxHeaders.0/" + base[:80], kind=Kind.FILE, mode=0o644, size_bytes=len(body))
        self._write(_block(about, b"x") + body + bytes(-len(body) % BLOCK))

    def _write(self, data: bytes) -> None:
        self._count += len(data)
        self._sink.write(data)


def _records(entry: TarEntry) -> pax.Records:
    """Return what the ustar header cannot say, in the order of the keys."""
    records: pax.Records = [(pax.XATTR_PREFIX + name, value) for name, value in entry.xattrs.items()]
    if _split_name(entry.name) is None:
        records.append((b"path", entry.name))
    if len(entry.linkname) > 100 or not entry.linkname.isascii():
        records.append((b"linkpath", entry.linkname))
    for key, value, width in ((b"uid", entry.uid, 8), (b"gid", entry.gid, 8), (b"size", entry.size_bytes, 12)):
        if not is_octal(value, width):
            records.append((key, b"%d" % value))
    if entry.mtime_ns % _SECOND_NS or not is_octal(entry.mtime_ns // _SECOND_NS, 12):
        records.append((b"mtime", pax.format_time_ns(entry.mtime_ns)))
    for key, text in ((b"uname", entry.uname), (b"gname", entry.gname)):
        if len(text) > 31 or not text.isascii():
            records.append((key, text))
    if any(not _is_utf8(value) for key, value in records if not key.startswith(pax.XATTR_PREFIX)):
        records.append((b"hdrcharset", b"BINARY"))
    for record in records:
        _check_record(entry, *record)
    return sorted(records)


def _check_record(entry: TarEntry, key: bytes, value: bytes) -> None:
    if b"=" in key or b"\0" in key:
        raise EntryRefused(entry.name, "has an extended attribute of a name that cannot be written")
    if not value and not key.startswith(pax.XATTR_PREFIX):
        raise EntryRefused(entry.name, "has an empty name")


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _split_name(name: bytes) -> tuple[bytes, bytes] | None:
    """Return prefix and name as a ustar header holds them, or None when it cannot."""
    if not name.isascii():
        return None
    if len(name) <= 100:
        return b"", name
    # The slash at the end of a directory's name belongs to the name.
    cut = name.rfind(b"/", 0, min(156, len(name) - 1))
    if cut <= 0 or len(name) - cut - 1 > 100:
        return None
    return name[:cut], name[cut + 1 :]


def _block(entry: TarEntry, flag: bytes) -> bytes:
    block = bytearray(BLOCK)
    prefix, name = _split_name(entry.name) or (b"", _placeholder(entry.name))
    seconds = entry.mtime_ns // _SECOND_NS
    block[0 : len(name)] = name
    block[header.MODE] = header.format_number(entry.mode, 8)
    block[header.UID] = _octal_or_zero(entry.uid, 8)
    block[header.GID] = _octal_or_zero(entry.gid, 8)
    block[header.SIZE] = _octal_or_zero(entry.size_bytes, 12)
    block[header.MTIME] = _octal_or_zero(seconds, 12)
    block[header.TYPEFLAG] = flag
    _put(block, header.LINKNAME, entry.linkname if entry.linkname.isascii() else b"")
    block[header.MAGIC] = header.USTAR_MAGIC
    _put(block, header.UNAME, entry.uname if entry.uname.isascii() else b"")
    _put(block, header.GNAME, entry.gname if entry.gname.isascii() else b"")
    if entry.kind in (Kind.CHAR, Kind.BLOCK):
        block[header.MAJOR] = header.format_number(entry.major, 8)
        block[header.MINOR] = header.format_number(entry.minor, 8)
    else:
        block[header.MAJOR] = block[header.MINOR] = header.format_number(0, 8)
    _put(block, header.PREFIX, prefix)
    return seal(block)


def _placeholder(name: bytes) -> bytes:
    """Return what stands in the header for a name that a PAX record tells: readable where it can be."""
    shown = bytes(byte if byte < 0x80 else 0x5F for byte in name)
    return shown[:99] + b"/" if name.endswith(b"/") and len(shown) > 100 else shown[:100]


def _octal_or_zero(value: int, width: int) -> bytes:
    return header.format_number(value if is_octal(value, width) else 0, width)


def _put(block: bytearray, field: slice, text: bytes) -> None:
    piece = text[: field.stop - field.start]
    block[field.start : field.start + len(piece)] = piece
