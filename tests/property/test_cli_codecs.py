"""Codecs of the command line against arbitrary cuts and input."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from windlass.cli.create.csv_line import split_fields
from windlass.cli.gotemplate import Template, TemplateError
from windlass.cli.terminal import DetachFilter
from windlass.client.errors import ProtocolError
from windlass.client.frames import FrameSplitter
from windlass.client.wire import ChunkedDecoder

PIECES = st.lists(st.binary(max_size=50), max_size=8)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    points = sorted({min(point, len(data)) for point in cuts})
    return [data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True)]


@given(PIECES, st.lists(st.integers(0, 500), max_size=6))
def test_chunked_bodies(pieces: list[bytes], cuts: list[int]) -> None:
    encoded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
    decoder = ChunkedDecoder()
    assert b"".join(b"".join(decoder.feed(part)) for part in cut(encoded, cuts)) == b"".join(pieces)
    assert decoder.done


@given(st.binary(max_size=200))
def test_any_bytes_for_a_chunked_body(data: bytes) -> None:
    try:
        ChunkedDecoder().feed(data)
    except ProtocolError:
        pass


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8), st.lists(st.integers(0, 500)))
def test_framed_streams(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    encoded = b"".join(bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for kind, data in frames)
    splitter = FrameSplitter()
    seen = {1: b"", 2: b""}
    for part in cut(encoded, cuts):
        for kind, payload in splitter.feed(memoryview(part)):
            seen[kind] += bytes(payload)
    assert seen == {kind: b"".join(data for other, data in frames if other == kind) for kind in (1, 2)}


@given(st.lists(st.text(alphabet='ab,"= ', min_size=1), min_size=1, max_size=5))
def test_quoted_fields(fields: list[str]) -> None:
    line = ",".join('"' + field.replace('"', '""') + '"' for field in fields)
    assert split_fields(line) == fields


@given(st.binary(max_size=30), st.lists(st.integers(0, 30)))
def test_typed_input_is_never_lost(typed: bytes, cuts: list[int]) -> None:
    watch = DetachFilter(b"\x10\x11")
    out, detached = b"", False
    for part in cut(typed, cuts):
        passed, detached = watch.feed(part)
        out += passed
        if detached:
            break
    expected, found, _ = typed.partition(b"\x10\x11")
    assert detached == bool(found)
    if not detached and expected.endswith(b"\x10"):
        expected = expected[:-1]  # held back: it may be a beginning
    assert out == expected


@given(st.text(alphabet="{}.$|()\"`'-=: abifendrgx012\n", max_size=40))
def test_any_text_for_a_template(source: str) -> None:
    try:
        Template(source).render({"a": [1, 2], "b": "x"})
    except TemplateError:
        pass
