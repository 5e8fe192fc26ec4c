"""TLS towards an engine: verified, refused, and closed in one direction at a time."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from windlass.client.endpoint import parse_endpoint
from windlass.client.errors import ClientError
from windlass.client.tls import SHUT_WR, TlsFiles

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with key.pem and cert.pem for 127.0.0.1, signed by itself."""
    directory = tmp_path_factory.mktemp("tls")
    words = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=engine "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {directory}/key.pem -out {directory}/cert.pem"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    return directory


class EchoServer:
    """Takes one connection, reads until the client's half is closed, and only then answers."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self._listener.close()
        try:
            with self._context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as stream:
                received = b""
                while piece := stream.recv(4096):
                    received += piece
                stream.sendall(b"got %d bytes" % len(received))
        except OSError:
            connection.close()


def test_the_peer_answers_after_our_half_is_closed(certificate: Path) -> None:
    server = EchoServer(certificate)
    files = TlsFiles(str(certificate / "cert.pem"), "", "", verify=True)
    stream = parse_endpoint(f"tcp://127.0.0.1:{server.port}", files).connect()
    stream.sendall(b"x" * 100_000)
    stream.shutdown(SHUT_WR)
    answer = b""
    while piece := stream.recv(5):
        answer += piece
    stream.close()
    server.thread.join()
    assert answer == b"got 100000 bytes"


def test_a_stranger_is_refused(certificate: Path) -> None:
    server = EchoServer(certificate)
    with pytest.raises(ClientError, match=r"TLS with 127\.0\.0\.1 failed"):
        parse_endpoint(f"tcp://127.0.0.1:{server.port}", TlsFiles("", "", "", verify=True)).connect()
    server.thread.join()


def test_without_verification_anybody_will_do(certificate: Path) -> None:
    server = EchoServer(certificate)
    stream = parse_endpoint(f"tcp://127.0.0.1:{server.port}", TlsFiles("", "", "", verify=False)).connect()
    buffer = memoryview(bytearray(100))
    stream.shutdown(SHUT_WR)
    assert bytes(buffer[: stream.recv_into(buffer)]) == b"got 0 bytes"
    stream.close()
    server.thread.join()
