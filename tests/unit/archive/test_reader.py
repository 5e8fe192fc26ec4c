"""Every dialect of tar that the reader knows, block by block."""

from __future__ import annotations

import io

import pytest
from tests.support.archives import (
    END,
    broken_checksum,
    directory,
    file,
    gnu_long,
    padded,
    pax_body,
    pax_header,
    raw_header,
    tar,
)

from windlass.archive.entry import Kind, Segment, TarEntry
from windlass.archive.errors import TarCorrupt, TarTruncated, TooLarge
from windlass.archive.header import GNU_MAGIC
from windlass.archive.reader import TarReader


class Dribble:
    """A stream that gives little at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._stream = io.BytesIO(data)
        self._step = step

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._step))


def entries(data: bytes) -> list[TarEntry]:
    return list(TarReader(io.BytesIO(data)))


def only(data: bytes) -> TarEntry:
    (entry,) = entries(data + END)
    return entry


def test_nothing_is_an_empty_archive() -> None:
    assert entries(b"") == []
    assert entries(END) == []


@pytest.mark.parametrize("step", [1, 7, 511, 512, 513, 4096])
def test_short_reads_change_nothing(step: int) -> None:
    archive = tar(directory(b"d/"), file(b"d/a", b"x" * 1000), file(b"d/b"))
    reader = TarReader(Dribble(archive, step))
    found = [(entry.name, reader.read()) for entry in reader]
    assert found == [(b"d/", b""), (b"d/a", b"x" * 1000), (b"d/b", b"")]


def test_data_not_read_is_skipped() -> None:
    archive = tar(file(b"a", b"x" * 700), file(b"b", b"y"))
    reader = TarReader(io.BytesIO(archive))
    assert reader.next() is not None
    assert reader.read(3) == b"xxx"
    second = reader.next()
    assert second is not None and second.name == b"b" and reader.read() == b"y"


def test_old_archive_has_neither_prefix_nor_owner_names() -> None:
    entry = only(raw_header(b"old", b"\0", magic=b"\0" * 8, fields={265: b"root\0", 345: b"prefix"}))
    assert (entry.name, entry.kind, entry.uname) == (b"old", Kind.FILE, b"")


def test_old_archive_marks_directories_by_a_slash() -> None:
    assert only(raw_header(b"old/", b"\0", magic=b"\0" * 8)).kind is Kind.DIRECTORY
    assert only(raw_header(b"new/", b"0")).kind is Kind.FILE


def test_ustar_prefix_precedes_the_name() -> None:
    assert only(raw_header(b"name", fields={345: b"some/where"})).name == b"some/where/name"


@pytest.mark.parametrize("version", [b"  ", b"\0\0", b"00"])
def test_version_of_ustar_does_not_matter(version: bytes) -> None:
    assert only(raw_header(b"name", magic=b"ustar\0" + version, fields={345: b"dir"})).name == b"dir/name"


def test_gnu_prefix_field_is_no_prefix() -> None:
    assert only(raw_header(b"name", magic=GNU_MAGIC, fields={345: b"0000000"})).name == b"name"


def test_star_keeps_times_behind_a_shorter_prefix() -> None:
    star = {345: b"dir", 476: b"00000000001\0", 488: b"00000000001\0", 508: b"tar\0"}
    assert only(raw_header(b"name", fields=star)).name == b"dir/name"


def test_gnu_long_names_and_links() -> None:
    archive = gnu_long(b"L", b"n" * 300) + gnu_long(b"K", b"l" * 300) + raw_header(b"short", b"2", magic=GNU_MAGIC)
    entry = only(archive)
    assert (entry.name, entry.linkname) == (b"n" * 300, b"l" * 300)


def test_pax_overrides_the_header() -> None:
    records = [
        (b"path", b"p" * 200),
        (b"linkpath", b"elsewhere"),
        (b"uid", b"4000000000"),
        (b"gid", b"3000000"),
        (b"uname", b"ann"),
        (b"gname", b"staff"),
        (b"mtime", b"1.25"),
        (b"size", b"3"),
        (b"SCHILY.xattr.user.x", b"\0v"),
    ]
    entry = only(pax_header(records) + raw_header(b"x") + padded(b"abc"))
    assert entry == TarEntry(
        name=b"p" * 200,
        kind=Kind.FILE,
        uid=4000000000,
        gid=3000000,
        uname=b"ann",
        gname=b"staff",
        mtime_ns=1_250_000_000,
        linkname=b"elsewhere",
        size_bytes=3,
        stored_bytes=3,
        xattrs={b"user.x": b"\0v"},
    )


def test_last_of_repeated_pax_keys_counts_and_empty_ones_do_not() -> None:
    records = [(b"path", b"first"), (b"path", b"last"), (b"uid", b"")]
    entry = only(pax_header(records) + raw_header(b"x", fields={108: b"0000007\0"}))
    assert (entry.name, entry.uid) == (b"last", 7)


def test_global_header_is_skipped() -> None:
    assert only(pax_header([(b"path", b"evil")], b"g") + raw_header(b"x")).name == b"x"


def test_one_extended_header_does_not_leak_into_the_next_entry() -> None:
    archive = pax_header([(b"path", b"long")]) + raw_header(b"a") + raw_header(b"b") + END
    assert [entry.name for entry in entries(archive)] == [b"long", b"b"]


def test_links_and_directories_have_no_data_whatever_their_size_says() -> None:
    archive = (
        raw_header(b"l", b"1", size=1000, linkname=b"x") + raw_header(b"d/", b"5", size=1000) + raw_header(b"f") + END
    )
    assert [entry.name for entry in entries(archive)] == [b"l", b"d/", b"f"]


def test_device_numbers() -> None:
    entry = only(raw_header(b"null", b"3", fields={329: b"0000001\0", 337: b"0000003\0"}))
    assert (entry.kind, entry.major, entry.minor) == (Kind.CHAR, 1, 3)


OLD_SPARSE = {386: b"00000001000\0" + b"00000000005\0", 483: b"00000002000\0"}


def test_sparse_of_old_gnu() -> None:
    entry = only(raw_header(b"s", b"S", size=5, magic=GNU_MAGIC, fields=OLD_SPARSE) + padded(b"hello"))
    assert entry.size_bytes == 0o2000 and entry.sparse == (Segment(0o1000, 5),)


def test_sparse_of_old_gnu_goes_on_in_further_blocks() -> None:
    pairs = [b"%011o\0%011o\0" % (10 * number, 1) for number in range(30)]
    first = raw_header(
        b"s", b"S", size=30, magic=GNU_MAGIC, fields={386: b"".join(pairs[:4]), 482: b"\1", 483: b"%011o\0" % 1000}
    )
    second = b"".join(pairs[4:25]).ljust(504, b"\0") + b"\1" + bytes(7)
    third = b"".join(pairs[25:]).ljust(512, b"\0")
    entry = only(first + second + third + padded(b"x" * 30))
    assert entry.sparse == tuple(Segment(10 * number, 1) for number in range(30))


PAX_SPARSE = [
    [(b"GNU.sparse.size", b"2000"), (b"GNU.sparse.offset", b"1000"), (b"GNU.sparse.numbytes", b"5")],
    [(b"GNU.sparse.name", b"s"), (b"GNU.sparse.size", b"2000"), (b"GNU.sparse.map", b"1000,5")],
]


@pytest.mark.parametrize("records", PAX_SPARSE, ids=["0.0", "0.1"])
def test_sparse_by_records(records: list[tuple[bytes, bytes]]) -> None:
    entry = only(pax_header(records) + raw_header(b"s", size=5) + padded(b"hello"))
    assert (entry.name, entry.size_bytes, entry.stored_bytes) == (b"s", 2000, 5)
    assert entry.sparse == (Segment(1000, 5),)


SPARSE_1_0 = [
    (b"GNU.sparse.major", b"1"),
    (b"GNU.sparse.minor", b"0"),
    (b"GNU.sparse.name", b"real"),
    (b"GNU.sparse.realsize", b"2000"),
]


def test_sparse_with_the_map_in_the_data() -> None:
    body = padded(b"1\n1000\n5\n") + padded(b"hello")
    archive = (
        pax_header(SPARSE_1_0) + raw_header(b"GNUSparseFile.0/real", size=512 + 5) + body + raw_header(b"next") + END
    )
    reader = TarReader(io.BytesIO(archive))
    entry = reader.next()
    assert entry is not None
    assert (entry.name, entry.sparse, reader.read()) == (b"real", (Segment(1000, 5),), b"hello")
    following = reader.next()
    assert following is not None and following.name == b"next"


@pytest.mark.parametrize(
    "text",
    [
        b"1\n1000\n6\n",
        b"1\n1999\n5\n",
        b"2\n10\n3\n11\n2\n",
        b"-1\n",
        b"1\n-5\n5\n",
        b"x\n",
        b"1\n0x10\n5\n",
        b"1" * 600,
    ],
)
def test_lying_sparse_map_is_refused(text: bytes) -> None:
    body = padded(text) + padded(b"hello")
    with pytest.raises((TarCorrupt, TooLarge)):
        entries(pax_header(SPARSE_1_0) + raw_header(b"x", size=len(padded(text)) + 5) + body + END)


@pytest.mark.parametrize(
    "archive",
    [
        broken_checksum(raw_header()),
        raw_header(size=b"\xff" * 12),
        raw_header(size=b"\x80" + b"\0" * 3 + b"\xff" * 8),
        raw_header(size=b"99999999999\0"),
        raw_header(flag=b"M"),
        raw_header(flag=b"V"),
        raw_header(fields={108: b"\xff" * 8}),
        pax_body(b"garbage") + raw_header(),
        pax_header([(b"size", b"-1")]) + raw_header(),
        pax_header([(b"size", b"9" * 19)]) + raw_header(),
        pax_header([(b"uid", b"root")]) + raw_header(),
        bytes(512) + raw_header(),
        b"".join(pax_header([(b"path", b"x")]) for _ in range(40)) + raw_header(),
    ],
)
def test_corrupt_header_is_refused(archive: bytes) -> None:
    with pytest.raises(TarCorrupt):
        entries(archive + END)


def test_every_cut_of_an_archive_is_noticed_or_clean() -> None:
    archive = pax_header([(b"path", b"p" * 150)]) + raw_header(b"x", size=600) + padded(b"y" * 600)
    for length in range(1, len(archive)):
        with pytest.raises(TarTruncated):
            reader = TarReader(io.BytesIO(archive[:length]))
            for _ in reader:
                reader.read()


def test_extended_header_beyond_its_bound_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLarge):
        entries(raw_header(flag=b"x", size=(1 << 20) + 1))
    with pytest.raises(TooLarge):
        entries(raw_header(flag=b"L", size=0o77777777777))
