"""Trees as archives: a whole root, and an overlay's upper directory as a layer."""

from __future__ import annotations

import io
import os
import socket
from pathlib import Path

import pytest
from tests.support.archives import MemorySink, apply, directory, file, hardlink, opened, symlink, tar

from windlass.archive.entry import Kind, TarEntry
from windlass.archive.pack import pack_tree
from windlass.archive.reader import TarReader
from windlass.archive.writer import TarWriter

pytestmark = pytest.mark.root


def packed(root: Path, *, prefix: bytes = b"", overlay: bool = False) -> bytes:
    sink = MemorySink()
    writer = TarWriter(sink)
    with opened(root) as fd:
        pack_tree(fd, writer, prefix=prefix, overlay=overlay)
    writer.finish()
    return bytes(sink.data)


def listed(archive: bytes) -> list[bytes]:
    return [entry.name for entry in TarReader(io.BytesIO(archive))]


def test_order_is_by_name_and_depth_first(tmp_path: Path) -> None:
    for name in ("b/x", "a/c/y", "a-b", "c"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert listed(packed(tmp_path)) == [b"a/", b"a/c/", b"a/c/y", b"a-b", b"b/", b"b/x", b"c"]
    assert listed(packed(tmp_path / "b", prefix=b"top/")) == [b"top/x"]


def test_layer_survives_application_and_packing(tmp_path: Path) -> None:
    """Applied on overlay and packed again, a layer says the same."""
    second = 10**9
    layer = tar(
        directory(b"d/", 0o750, uid=3, mtime_ns=5 * second),
        file(b"d/.wh..wh..opq", mode=0),
        file(b"d/.wh.gone", mode=0),
        file(b"d/f", b"data", mode=0o4711, uid=7, mtime_ns=second, xattrs={b"user.a": b"\0b"}),
        hardlink(b"d/g", b"d/f"),
        symlink(b"l", b"/etc"),
    )
    apply(layer, tmp_path)
    found = {entry.name: entry for entry in TarReader(io.BytesIO(packed(tmp_path, overlay=True)))}
    assert list(found) == [b"d/", b"d/.wh..wh..opq", b"d/f", b"d/g", b"d/.wh.gone", b"l"]
    assert found[b"d/f"].xattrs == {b"user.a": b"\0b"}
    assert (found[b"d/g"].kind, found[b"d/g"].linkname) == (Kind.HARDLINK, b"d/f")
    assert found[b"d/"] == TarEntry(name=b"d/", kind=Kind.DIRECTORY, mode=0o750, uid=3, mtime_ns=5 * second)


def test_sockets_are_left_out(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert listed(packed(tmp_path)) == []


def test_overlays_own_xattrs_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    os.setxattr(tmp_path / "d", "trusted.overlay.origin", b"x")
    (entry,) = TarReader(io.BytesIO(packed(tmp_path, overlay=True)))
    assert entry.xattrs == {}


def test_sizes_are_summed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1000)
    os.link(tmp_path / "a", tmp_path / "b")
    with opened(tmp_path) as fd:
        assert pack_tree(fd, TarWriter(MemorySink())) == 1000
