"""HTTP/1.1 in pieces."""

from __future__ import annotations

import pytest

from windlass.client.errors import ProtocolError
from windlass.client.wire import ChunkedDecoder, parse_head, query_string, quote, request_head

BODY = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\nrest"


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(BODY)])
def test_chunks_in_pieces_of_any_size(size: int) -> None:
    decoder = ChunkedDecoder()
    out = b""
    position = 0
    while not decoder.done:
        out += b"".join(decoder.feed(BODY[position : position + size]))
        position += size
    assert out == b"hello!"
    assert decoder.rest + BODY[position:] == b"rest"


def test_a_bad_chunk_size() -> None:
    with pytest.raises(ProtocolError, match="bad chunk size"):
        ChunkedDecoder().feed(b"zz\r\n")


def test_heads() -> None:
    head = parse_head(b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json; charset=utf-8\r\nX:  a:b ")
    assert (head.status, head.reason, head.content_type) == (404, "Not Found", "application/json")
    assert head.headers["x"] == "a:b" and not head.is_chunked
    assert parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked").is_chunked
    with pytest.raises(ProtocolError, match="not an HTTP answer"):
        parse_head(b"SSH-2.0-OpenSSH_9.2")


def test_queries() -> None:
    assert query_string({}) == ""
    assert query_string({"a": "b c/ü", "n": ["1", "2"]}) == "?a=b%20c%2F%C3%BC&n=1&n=2"
    assert quote("a/b:c", safe="/") == "a/b%3Ac"


def test_a_header_cannot_smuggle_another() -> None:
    with pytest.raises(ValueError, match="line break in header"):
        request_head("GET", "/", {"X": "a\r\nY: b"})
