"""Archives of any content: written by us and by others, read by us and by others."""

from __future__ import annotations

import io
import os
import tarfile

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.archives import tar

from windlass.archive.entry import Kind, TarEntry
from windlass.archive.errors import EntryRefused
from windlass.archive.paths import clean
from windlass.archive.pax import format_records, parse_records
from windlass.archive.reader import TarReader
from windlass.archive.whiteouts import Meaning, meaning
from windlass.base.errors import DataLoss, InvalidParameter

names = st.binary(min_size=1, max_size=400).filter(lambda name: b"\0" not in name and not name.endswith(b"/"))
owners = st.one_of(st.integers(0, 70_000), st.integers(0, (1 << 32) - 2))
times = st.integers(-(1 << 62), 1 << 62)
xattrs = st.dictionaries(
    st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 0x3D} & set(name)),
    st.binary(max_size=200),
    max_size=4,
)


@st.composite
def entries(draw: st.DrawFn) -> tuple[TarEntry, bytes]:
    kind = draw(st.sampled_from(Kind))
    data = draw(st.binary(max_size=2000)) if kind is Kind.FILE else b""
    device = kind in (Kind.CHAR, Kind.BLOCK)
    name = draw(names) + (b"/" if kind is Kind.DIRECTORY else b"")
    entry = TarEntry(
        name=name,
        kind=kind,
        mode=draw(st.integers(0, 0o7777)),
        uid=draw(owners),
        gid=draw(owners),
        size_bytes=len(data),
        stored_bytes=len(data),
        mtime_ns=draw(times),
        linkname=draw(names) if kind in (Kind.HARDLINK, Kind.SYMLINK) else b"",
        uname=draw(names.map(lambda name: name[:80])),
        gname=draw(names.map(lambda name: name[:80])),
        major=draw(st.integers(0, 4095)) if device else 0,
        minor=draw(st.integers(0, (1 << 20) - 1)) if device else 0,
        xattrs=draw(xattrs),
    )
    return entry, data


@given(st.lists(entries(), max_size=6))
@settings(deadline=None)
def test_what_we_write_we_read(content: list[tuple[TarEntry, bytes]]) -> None:
    reader = TarReader(io.BytesIO(tar(*content)))
    assert [(entry, reader.read()) for entry in reader] == content


@given(st.lists(entries(), max_size=4))
@settings(deadline=None)
def test_what_we_write_tarfile_reads(content: list[tuple[TarEntry, bytes]]) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar(*content)), encoding="utf-8", errors="surrogateescape") as archive:
        members = archive.getmembers()
    assert len(members) == len(content)
    for member, (entry, _) in zip(members, content, strict=True):
        assert os.fsencode(member.name) == entry.name.rstrip(b"/")
        assert (member.mode, member.uid, member.gid, member.size) == (
            entry.mode,
            entry.uid,
            entry.gid,
            entry.size_bytes,
        )
        assert member.type == entry.kind.value


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=150)


@given(
    st.lists(st.tuples(texts, st.binary(max_size=1500), st.integers(0, 1 << 31), st.integers(0, 1 << 33)), max_size=4),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
@settings(deadline=None)
def test_what_tarfile_writes_we_read(content: list[tuple[str, bytes, int, int]], format_: int) -> None:
    stream = io.BytesIO()
    expected = []
    with tarfile.open(fileobj=stream, mode="w", format=format_) as archive:
        for name, data, uid, mtime in content:
            member = tarfile.TarInfo(name)
            member.size, member.uid, member.mtime = len(data), uid, mtime
            try:
                archive.addfile(member, io.BytesIO(data))
            except ValueError:
                continue
            expected.append((name.encode(), data, uid, mtime * 10**9))
    reader = TarReader(io.BytesIO(stream.getvalue()))
    assert [(entry.name, reader.read(), entry.uid, entry.mtime_ns) for entry in reader] == expected


@given(st.lists(st.tuples(names.filter(lambda key: b"=" not in key), st.binary(max_size=300)), max_size=8))
def test_records_round_trip(records: list[tuple[bytes, bytes]]) -> None:
    records = [(key, value) for key, value in records if b"\0" not in value]
    assert parse_records(format_records(records)) == records


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        for _ in TarReader(io.BytesIO(data)):
            pass
    except (DataLoss, InvalidParameter):
        pass


@given(st.lists(entries(), min_size=1, max_size=3), st.data())
@settings(deadline=None)
def test_any_flipped_byte_is_read_or_refused(content: list[tuple[TarEntry, bytes]], data: st.DataObject) -> None:
    archive = bytearray(tar(*content))
    position = data.draw(st.integers(0, len(archive) - 1))
    archive[position] ^= data.draw(st.integers(1, 255))
    try:
        for _ in TarReader(io.BytesIO(bytes(archive))):
            pass
    except (DataLoss, InvalidParameter):
        pass


parts = st.lists(
    st.sampled_from([b"..", b".", b"", b"a", b"b", b".wh.a", b".wh.", b".wh..", b".wh..wh..opq"]), max_size=8
)


@given(parts)
def test_cleaned_path_never_climbs(components: list[bytes]) -> None:
    try:
        path = clean(b"/".join(components))
    except EntryRefused:
        return
    assert not path.startswith(b"/")
    assert not {b"", b".", b".."} & set(path.split(b"/")) or path == b""


@given(parts)
def test_whiteout_always_hides_a_clean_name(components: list[bytes]) -> None:
    try:
        path = clean(b"/".join(components))
        kind = meaning(path)
    except EntryRefused:
        return
    if kind is Meaning.WHITEOUT:
        assert path.rpartition(b"/")[2].removeprefix(b".wh.") not in (b"", b".", b"..")
