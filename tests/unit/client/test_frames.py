"""The framing of stdout and stderr."""

from __future__ import annotations

import pytest

from windlass.cli.session import copy_framed
from windlass.client.frames import STDERR, STDOUT, FrameSplitter, StreamError


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


STREAM = frame(STDOUT, b"one") + frame(STDERR, b"two") + frame(STDOUT, b"") + frame(STDOUT, b"x" * 300)


@pytest.mark.parametrize("size", [1, 5, 8, 9, 11, 64, len(STREAM)])
def test_frames_in_pieces_of_any_size(size: int) -> None:
    splitter = FrameSplitter()
    streams = {STDOUT: b"", STDERR: b""}
    for start in range(0, len(STREAM), size):
        for stream, payload in splitter.feed(memoryview(STREAM[start : start + size])):
            streams[stream] += bytes(payload)
    assert streams == {STDOUT: b"one" + b"x" * 300, STDERR: b"two"}


def test_the_engines_own_error() -> None:
    splitter = FrameSplitter()
    with pytest.raises(StreamError, match="error from daemon in stream: broken"):
        splitter.feed(memoryview(frame(3, b"broken\n")))


def test_an_unknown_stream() -> None:
    with pytest.raises(StreamError, match="Unrecognized input header: 9"):
        FrameSplitter().feed(memoryview(frame(9, b"x")))


def test_streams_arrive_whole_at_their_descriptors(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    many = b"".join(frame(STDOUT, b"%d " % number) for number in range(3000))
    copy_framed(memoryview(piece) for piece in (many[:5000], many[5000:], frame(STDERR, b"e")))
    captured = capfdbinary.readouterr()
    assert captured.out == b"".join(b"%d " % number for number in range(3000))
    assert captured.err == b"e"
