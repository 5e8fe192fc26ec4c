"""Archives that we write, read back by us and by Python's tarfile."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from tests.support.archives import MemorySink, directory, file, hardlink, node, symlink, tar

from windlass.archive.entry import Kind, Segment, TarEntry
from windlass.archive.errors import EntryRefused
from windlass.archive.reader import TarReader
from windlass.archive.sink import FdSink, HashingSink
from windlass.archive.writer import TarWriter
from windlass.spec.digest import digest_bytes

HARD_CASES = [
    file(b"plain", b"x" * 513, mode=0o4755, uid=1000, gid=8**7, mtime_ns=10**9),
    file(b"d" * 90 + b"/" + b"f" * 100),
    file(b"n" * 101),
    file(b"d" * 160 + b"/f"),
    file("ünï".encode()),
    file(b"bytes\xff\xfe"),
    file(b"old", mtime_ns=-1_500_000_000),
    file(b"new", mtime_ns=1_700_000_000_000_000_001),
    file(b"far", mtime_ns=8**11 * 10**9),
    file(b"attributes", xattrs={b"user.a": b"\0\n=", b"user.empty": b"", b"security.capability": b"\1" * 20}),
    file(b"owner", uid=1 << 31, gid=1 << 31, uname="é".encode(), gname=b"g" * 60),
    directory(b"dir/", 0o1777),
    directory(b"d/" * 60),
    symlink(b"link", b"t" * 150),
    symlink(b"absolute", b"/etc/\xff"),
    hardlink(b"hard", b"plain"),
    node(b"null", Kind.CHAR, 1, 3),
    node(b"disk", Kind.BLOCK, 259, 1 << 19),
    node(b"pipe", Kind.FIFO),
]


def test_what_is_written_is_read() -> None:
    reader = TarReader(io.BytesIO(tar(*HARD_CASES)))
    assert [(entry, reader.read()) for entry in reader] == HARD_CASES


def test_tarfile_reads_the_same() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar(*HARD_CASES)), encoding="utf-8", errors="surrogateescape") as archive:
        members = archive.getmembers()
    for member, (entry, _) in zip(members, HARD_CASES, strict=True):
        assert os.fsencode(member.name) == entry.name.rstrip(b"/")
        assert os.fsencode(member.linkname) == entry.linkname
        assert (member.mode, member.uid, member.gid, member.size) == (
            entry.mode,
            entry.uid,
            entry.gid,
            entry.size_bytes,
        )
        assert (member.devmajor, member.devminor) == (entry.major, entry.minor)


def test_same_entries_same_bytes() -> None:
    xattrs = {b"user.a": b"1", b"user.b": b"2"}
    swapped = dict(reversed(xattrs.items()))
    assert tar(file(b"f", xattrs=xattrs)) == tar(file(b"f", xattrs=swapped))


def test_simple_entries_need_no_extended_header() -> None:
    assert len(tar(file(b"a", b"x"))) == 10240
    assert b"PaxHeaders" not in tar(file(b"d" * 100 + b"/" + b"f" * 100, mtime_ns=5 * 10**9))


@pytest.mark.parametrize(
    "entry",
    [
        TarEntry(name=b"x", kind=Kind.FILE, size_bytes=1),
        TarEntry(name=b"x", kind=Kind.FILE, mode=0o100644),
        TarEntry(name=b"x", kind=Kind.FILE, uid=-1),
        TarEntry(name=b"x", kind=Kind.FILE, sparse=(Segment(0, 0),)),
        TarEntry(name=b"x", kind=Kind.FILE, xattrs={b"user.a=b": b""}),
        TarEntry(name=b"x", kind=Kind.FILE, xattrs={b"user.a": bytes(2 << 20)}),
    ],
)
def test_what_a_tar_cannot_say_is_refused(entry: TarEntry) -> None:
    with pytest.raises(EntryRefused):
        TarWriter(MemorySink()).add(entry)


def test_file_that_shrinks_while_it_is_written_is_filled_up(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"short")
    sink = MemorySink()
    writer = TarWriter(sink)
    fd = os.open(path, os.O_RDONLY)
    writer.add_from(TarEntry(name=b"f", kind=Kind.FILE, size_bytes=8), fd)
    writer.finish()
    os.close(fd)
    reader = TarReader(io.BytesIO(bytes(sink.data)))
    assert reader.next() is not None
    assert reader.read() == b"short\0\0\0"


@pytest.mark.parametrize("size", [0, 1, 1000, 1 << 18, (1 << 20) + 1])
def test_descriptor_sink_and_digest(tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(size))
    entry = TarEntry(name=b"f", kind=Kind.FILE, size_bytes=size)
    results = []
    for hashed in (False, True):
        fds = os.open(source, os.O_RDONLY), os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        direct = FdSink(fds[1])
        sink = HashingSink(direct)
        writer = TarWriter(sink if hashed else direct)
        writer.add_from(entry, fds[0])
        writer.finish()
        for fd in fds:
            os.close(fd)
        results.append(target.read_bytes())
    assert results[0] == results[1]
    assert sink.digest == digest_bytes(results[1])
    assert sink.count == direct.count == len(results[1])
