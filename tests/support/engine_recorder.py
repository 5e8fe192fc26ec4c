"""A recording Engine API: it answers just enough for a client to go on, and keeps what the client sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

API_VERSION = "1.50"
OUTPUT = b"from the container\n"
CONTAINER_ID = "c0ffee" + "0" * 58


class Recorded(NamedTuple):
    """One request as it came over the wire; `body` is parsed JSON, or None when there was none."""

    method: str
    target: str
    body: Any
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The target without query and without the `/v1.NN` prefix."""
        path = self.target.partition("?")[0]
        head, _, rest = path[1:].partition("/")
        return "/" + rest if head.startswith("v1.") else path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_args: object) -> None:
        """Stay silent: the record is the log."""

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            raw = self._read_chunks()
        request = Recorded(self.command, self.path, json.loads(raw) if raw.strip() else None, dict(self.headers))
        self.server.requests.append(request)
        if request.path.endswith("/attach"):
            self._hijack()
            return
        status, payload = self.server.answer(request)
        body = json.dumps(payload).encode() if payload is not None else b""
        self.send_response(status)
        self.send_header("Api-Version", API_VERSION)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hijack(self) -> None:
        """Take the connection over, write one line as a container's stdout, and end the stream."""
        self.wfile.write(
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
            b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        self.wfile.write(b"\x01\0\0\0" + len(OUTPUT).to_bytes(4, "big") + OUTPUT)
        self.close_connection = True

    def _read_chunks(self) -> bytes:
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    do_GET = do_POST = do_HEAD = do_DELETE = do_PUT = _handle


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: str, answers: dict[str, tuple[int, Any]]) -> None:
        super().__init__(path, _Handler)
        self.requests: list[Recorded] = []
        self.answers = answers

    def answer(self, request: Recorded) -> tuple[int, Any]:
        """Return (status, JSON payload) for a request; 200 and an empty object where nothing was arranged."""
        arranged = self.answers.get(f"{request.method} {request.path}")
        if arranged is not None:
            return arranged
        if request.path == "/containers/create":
            return 201, {"Id": CONTAINER_ID, "Warnings": []}
        if request.path == "/_ping":
            return 200, "OK"
        return 200, {}


@contextmanager
def recording(path: str, answers: dict[str, tuple[int, Any]] | None = None) -> Iterator[list[Recorded]]:
    """Serve on a unix socket at `path` while the context lasts; yields the growing list of requests."""
    server = _Server(path, answers or {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
