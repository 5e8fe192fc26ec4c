"""Mutual TLS: who gets in, and that each direction ends for itself."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.certificates import Authority, client_context, server_flags

from windlass.base.errors import InvalidParameter
from windlass.daemon import tls_relay
from windlass.daemon.configuration import load
from windlass.daemon.tls import TcpPolicy, tcp_policy, tcp_warnings
from windlass.daemon.tls_relay import TlsListener

Talk = Callable[[socket.socket], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    for name in ("server", "client"):
        made.issue(name)
    return made


def _policy(tmp_path: Path, *argv: str, content: object = None) -> TcpPolicy:
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps(content or {}))
    return tcp_policy(load(["--config-file", str(path), *argv]))


def test_without_tls_only_loopback_unless_that_is_meant(tmp_path: Path) -> None:
    assert not _policy(tmp_path).anywhere
    assert _policy(tmp_path, "--tls=false").anywhere
    assert _policy(tmp_path, "--tlsverify=false").anywhere
    assert _policy(tmp_path, content={"tls": False}).anywhere


def test_encryption_alone_is_not_meant_for_everybody(tmp_path: Path, authority: Authority) -> None:
    files = server_flags(authority.directory / "server")[1:]
    policy = _policy(tmp_path, "--tls", *files)
    assert policy.context is not None and not policy.verified and not policy.anywhere
    assert _policy(tmp_path, "--tls", "--tlsverify=false", *files).anywhere


def test_verification_implies_tls(tmp_path: Path, authority: Authority) -> None:
    policy = _policy(tmp_path, "--tls=false", *server_flags(authority.directory / "server"))
    assert policy.verified and policy.anywhere
    assert policy.context is not None and policy.context.verify_mode is ssl.CERT_REQUIRED


def test_info_warns_of_listeners_that_ask_nobody(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text("{}")

    def warnings(*argv: str) -> tuple[str, ...]:
        hosts = ("-H", "tcp://127.0.0.1:1", "-H", "unix:///x")
        return tcp_warnings(load(["--config-file", str(path), *hosts, *argv]))

    (plain,), (encrypted,) = warnings(), warnings("--tls")
    assert plain.startswith("WARNING: API is accessible on http://127.0.0.1:1 without encryption.")
    assert encrypted.startswith("WARNING: API is accessible on https://127.0.0.1:1 without TLS client verification.")
    assert warnings("--tlsverify") == ()


def test_files_that_are_missing_or_none(tmp_path: Path, authority: Authority) -> None:
    server = authority.directory / "server"
    with pytest.raises(InvalidParameter, match=r"Could not load X509 key pair .*no such file or directory"):
        _policy(tmp_path, "--tls", "--tlscert", "/none", "--tlskey", "/none")
    flags = server_flags(server)
    flags[flags.index("--tlscacert") + 1] = str(server / "key.pem")
    with pytest.raises(InvalidParameter, match=r'could not read CA certificate ".*key.pem"'):
        _policy(tmp_path, *flags)


@asynccontextmanager
async def _served(authority: Authority, tmp_path: Path, talk: Talk) -> AsyncIterator[tuple[int, list[str]]]:
    """A listener that gives each connection to `talk`; yields its port and the subjects seen."""
    policy = _policy(tmp_path, *server_flags(authority.directory / "server"))
    assert policy.context is not None
    subjects: list[str] = []
    talks: list[asyncio.Future[None]] = []

    async def welcome(connection: socket.socket, subject: str) -> None:
        subjects.append(subject)

        async def run() -> None:
            with connection:
                await talk(connection)

        talks.append(asyncio.ensure_future(run()))

    listener = socket.create_server(("127.0.0.1", 0))
    tls = TlsListener(listener, policy.context, welcome)
    tls.start()
    try:
        yield listener.getsockname()[1], subjects
        await asyncio.gather(*talks)
    finally:
        await tls.close()


def _client(authority: Authority, port: int, name: str | None = "client") -> ssl.SSLSocket:
    folder = authority.directory / name if name else None
    raw = socket.create_connection(("127.0.0.1", port), 10)
    return client_context(folder, authority.ca).wrap_socket(raw, server_hostname="127.0.0.1")


async def test_each_direction_ends_for_itself(authority: Authority, tmp_path: Path) -> None:
    """What `docker run -i` does: the input ends, the output goes on."""
    size = 3 << 20

    async def talk(connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        got = 0
        while data := await loop.sock_recv(connection, 65536):
            got += len(data)
        await loop.sock_sendall(connection, b"%d:" % got + b"x" * size)

    def ask(port: int) -> bytes:
        with _client(authority, port) as client:
            client.sendall(b"y" * size)
            # Python's own socket closes both directions at once: a close_notify of its own is an object's.
            return _answer_after_goodbye(client)

    async with _served(authority, tmp_path, talk) as (port, subjects):
        answer = await asyncio.to_thread(ask, port)
    assert answer == b"%d:" % size + b"x" * size
    assert subjects[0].startswith("O=tests,CN=client 127.0.0.1:")


def _answer_after_goodbye(client: ssl.SSLSocket) -> bytes:
    client.setblocking(False)
    try:
        client._sslobj.shutdown()  # type: ignore[attr-defined]
    except ssl.SSLWantReadError:
        pass
    client.settimeout(10)
    answer = b""
    while True:
        try:
            answer += client.recv(1 << 16)
        except ssl.SSLZeroReturnError:
            return answer


async def test_a_server_that_closes_is_read_to_its_end(authority: Authority, tmp_path: Path) -> None:
    async def talk(connection: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(connection, b"z" * (1 << 20))

    def read(port: int) -> bytes:
        with _client(authority, port) as client:
            # Written to somebody who has closed: what he said before is still to be had.
            client.sendall(b"never read")
            return b"".join(iter(lambda: client.recv(65536), b""))

    async with _served(authority, tmp_path, talk) as (port, _):
        assert len(await asyncio.to_thread(read, port)) == 1 << 20


async def test_a_client_that_does_not_read_stops_the_writer(authority: Authority, tmp_path: Path) -> None:
    sent = 0

    async def talk(connection: socket.socket) -> None:
        nonlocal sent
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(1):
                while True:
                    await loop.sock_sendall(connection, b"o" * 65536)
                    sent += 65536
        except TimeoutError:
            # It may still say something.
            assert await loop.sock_recv(connection, 10) == b"stop"

    async with _served(authority, tmp_path, talk) as (port, _):
        client = await asyncio.to_thread(_client, authority, port)
        with client:
            await asyncio.sleep(1.2)
            await asyncio.to_thread(client.sendall, b"stop")
            await asyncio.sleep(0.1)
    # The buffers of two sockets and one chunk, not what the writer would have written in a second.
    assert sent < 16 << 20


@pytest.mark.parametrize("name", [None, "stranger"])
async def test_strangers_are_refused(authority: Authority, tmp_path: Path, name: str | None) -> None:
    other = Authority(tmp_path / "other")
    folder = other.issue(name) if name else None

    async def talk(connection: socket.socket) -> None:
        raise AssertionError("nobody may get here")

    def ask(port: int) -> None:
        raw = socket.create_connection(("127.0.0.1", port), 10)
        with client_context(folder, authority.ca).wrap_socket(raw, server_hostname="127.0.0.1") as client:
            client.sendall(b"GET /info HTTP/1.1\r\n\r\n")
            client.recv(1)

    async with _served(authority, tmp_path, talk) as (port, subjects):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(ask, port)
        assert not subjects


async def test_slow_handshakes_make_room(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_relay, "_HANDSHAKES", 4)

    async def talk(connection: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(connection, b"hello")

    async with _served(authority, tmp_path, talk) as (port, _):
        silent = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(10)]
        client = await asyncio.to_thread(_client, authority, port)
        with client:
            assert await asyncio.to_thread(client.recv, 10) == b"hello"
        # The first ones were cut, the last ones still have their time.
        assert await asyncio.to_thread(silent[0].recv, 1) == b""
        for connection in silent:
            connection.close()


async def test_plain_http_gets_no_answer(authority: Authority, tmp_path: Path) -> None:
    async def talk(connection: socket.socket) -> None:
        raise AssertionError("nobody may get here")

    def ask(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            plain.sendall(b"GET /info HTTP/1.1\r\nHost: d\r\n\r\n")
            return plain.recv(100)

    async with _served(authority, tmp_path, talk) as (port, subjects):
        try:
            answer = await asyncio.to_thread(ask, port)
        except ConnectionError:
            answer = b""
        assert b"HTTP/1.1 200" not in answer and not subjects
