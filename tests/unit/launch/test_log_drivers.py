"""What remote drivers send, and what becomes of lines that nobody takes."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from windlass.launch.log_dial import dial, split_address
from windlass.launch.log_fluentd import Fluentd
from windlass.launch.log_gelf import Gelf
from windlass.launch.log_journald import Journald, field_name
from windlass.launch.log_lines import Partial
from windlass.launch.log_remote import FRAME
from windlass.launch.log_ship import Message, Waiting, ship
from windlass.launch.log_syslog import Syslog
from windlass.spec.task import LogSubject, RemotePlan

_TIME_NS = 1_700_000_000_123_456_789
_SUBJECT = LogSubject("c" * 64, "web", "sha256:ab", "busybox", "sh -c x", _TIME_NS, "host1")
_PART = Partial("id1", 2, last=False)


def _plan(driver: str, **options: str) -> RemotePlan:
    settled = {name.replace("_", "-"): value for name, value in options.items()}
    return RemotePlan(driver, settled, "tag1", {"tier": "x"}, _SUBJECT)


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("", rb"<30>Nov 14 \d\d:\d\d:20 tag1\[\d+\]: hi\n"),
        ("rfc3164", rb"<30>Nov 14 \d\d:\d\d:20 host1 tag1\[\d+\]: hi\n"),
        ("rfc5424", rb"<30>1 2023-11-1\dT\d\d:\d\d:20(Z|[+-]\d\d:\d\d) host1 tag1 \d+ tag1 - hi\n"),
        ("rfc5424micro", rb"<30>1 2023-11-1\dT\d\d:\d\d:20.123456(Z|[+-]\d\d:\d\d) host1 tag1 \d+ tag1 - hi\n"),
    ],
)
def test_syslog_formats(format_: str, expected: bytes) -> None:
    driver = Syslog(_plan("syslog", syslog_format=format_))
    assert re.fullmatch(expected, driver.encode(Message("stdout", b"hi", _TIME_NS)))


def test_syslog_counts_over_tls_and_takes_facilities() -> None:
    driver = Syslog(_plan("syslog", syslog_address="tcp+tls://h", syslog_format="rfc5424", syslog_facility="local7"))
    length, _, rest = driver.encode(Message("stderr", b"bad", _TIME_NS)).partition(b" ")
    assert int(length) == len(rest) and rest.startswith(b"<187>1 ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, with its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    path = tmp_path_factory.mktemp("tls") / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=log"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(path), "-keyout", f"{path}.key"]
    subprocess.run(command, check=True, capture_output=True)
    return path


def test_syslog_over_tls_checks_the_receiver(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp+tls://127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            for _ in range(3):
                connection, _ = server.accept()
                with connection, suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
                    got.append(secure.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        for options in ({"syslog_tls_ca_cert": str(certificate)}, {"syslog_tls_skip_verify": "true"}, {}):
            driver = Syslog(_plan("syslog", syslog_address=address, syslog_format="rfc5424", **options))
            if not options:
                with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                    driver.connect()
                continue
            driver.connect()
            driver.send([Message("stdout", b"safe", _TIME_NS)])
        thread.join()
    assert len(got) == 2 and all(message.endswith(b"safe\n") for message in got)


def test_syslog_names_a_missing_certificate() -> None:
    driver = Syslog(_plan("syslog", syslog_address="tcp+tls://127.0.0.1:1", syslog_tls_ca_cert="/nope"))
    with pytest.raises(ValueError, match='could not read CA certificate "/nope": open /nope: no such file'):
        driver.connect()


def test_syslog_connects_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        driver = Syslog(_plan("syslog", syslog_address=f"tcp://127.0.0.1:{server.getsockname()[1]}"))
        driver.connect()
        first, _ = server.accept()
        first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        first.close()
        driver.send([Message("stdout", b"again", _TIME_NS)])
        second, _ = server.accept()
        with second:
            assert second.recv(100).endswith(b"again\n")


def test_syslog_finds_the_kind_of_a_unix_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        driver = Syslog(_plan("syslog", syslog_address=f"unix://{tmp_path}/log"))
        driver.connect()
        driver.send([Message("stdout", b"a", _TIME_NS), Message("stdout", b"b", _TIME_NS)])
        assert server.recv(100).endswith(b"a\n") and server.recv(100).endswith(b"b\n")


def test_gelf_messages_and_chunks() -> None:
    driver = Gelf(_plan("gelf", gelf_address="udp://127.0.0.1:1", gelf_compression_type="none"))
    data = driver.encode(Message("stderr", b"x" * 5000, _TIME_NS))
    message = json.loads(data)
    assert message["timestamp"] == 1_700_000_000.123 and message["level"] == 3
    assert message["_tier"] == "x" and message["_container_name"] == "web" and message["host"] == "host1"
    chunks = driver.datagrams(data)
    assert len(chunks) == 4 and len({chunk[:10] for chunk in chunks}) == 1
    assert [chunk[10:12] for chunk in chunks] == [bytes((place, 4)) for place in range(4)]
    assert b"".join(chunk[12:] for chunk in chunks) == data
    with pytest.raises(OSError, match="too large"):
        driver.datagrams(b"x" * 200_000)


@pytest.mark.parametrize(("kind", "window"), [("gzip", 31), ("zlib", 15)])
def test_gelf_compression(kind: str, window: int) -> None:
    driver = Gelf(_plan("gelf", gelf_address="udp://127.0.0.1:1", gelf_compression_type=kind))
    (datagram,) = driver.datagrams(b"x" * 10_000)
    assert zlib.decompress(datagram, window) == b"x" * 10_000


def test_fluentd_events() -> None:
    driver = Fluentd(_plan("fluentd", fluentd_retry_wait="1"))
    tag, moment, record = msgspec.msgpack.decode(driver.encode(Message("stdout", b"hi", _TIME_NS)))
    assert (tag, moment) == ("tag1", 1_700_000_000)
    assert record == {
        "container_id": "c" * 64, "container_name": "/web", "source": "stdout", "log": "hi", "tier": "x",
    }  # fmt: skip
    event = msgspec.msgpack.decode(driver.encode(Message("stdout", b"hi", _TIME_NS, _PART), chunk="k"))
    assert event[2]["partial_ordinal"] == "2" and event[2]["partial_last"] == "false" and event[3] == {"chunk": "k"}


def test_fluentd_waits_for_acknowledgements_and_tries_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        options = {"fluentd_address": address, "fluentd_request_ack": "true", "fluentd_retry_wait": "0.01"}
        driver = Fluentd(_plan("fluentd", **options))
        driver.connect()
        taken: list[object] = []

        def serve() -> None:
            for answers in (False, True):
                connection, _ = server.accept()
                with connection:
                    event = msgspec.msgpack.decode(connection.recv(4096))
                    if answers:
                        taken.append(event[2]["log"])
                        connection.sendall(msgspec.msgpack.encode({"ack": event[3]["chunk"]}))

        thread = threading.Thread(target=serve)
        thread.start()
        driver.send([Message("stdout", b"hi", _TIME_NS)])
        thread.join()
    assert taken == ["hi"]


def test_journald_fields(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        driver = Journald(_plan("journald"), str(tmp_path / "socket"))
        driver.connect()
        driver.send([Message("stderr", b"two\nlines", _TIME_NS, _PART)])
        data = journal.recv(65536)
    fields = {}
    while data:
        name, _, rest = data.partition(b"\n")
        size = int.from_bytes(rest[:8], "little")
        fields[name.decode()] = rest[8 : 8 + size]
        data = rest[8 + size + 1 :]
    assert fields["MESSAGE"] == b"two\nlines" and fields["PRIORITY"] == b"3" and fields["TIER"] == b"x"
    assert fields["CONTAINER_ID"] == b"c" * 12 and fields["CONTAINER_PARTIAL_MESSAGE"] == b"true"
    with pytest.raises(OSError, match="journald is not enabled on this host"):
        Journald(_plan("journald"), str(tmp_path / "none")).connect()


def test_journal_field_names() -> None:
    assert [field_name(key) for key in ("a.b-c", "_x", "é", "A1")] == ["A_B_C", "X", "", "A1"]


@pytest.mark.parametrize(
    ("address", "parts"),
    [("h:1", ("h", 1)), ("h", ("h", 514)), ("[::1]:2", ("::1", 2)), ("[::1]", ("::1", 514)), ("::1", ("::1", 514))],
)
def test_addresses(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address, 514) == parts


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match=f"dial tcp 127.0.0.1:{port}: connect: connection refused"):
        dial("tcp", "127.0.0.1", port)


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    waiting = Waiting(100, drops=True)
    waiting.put("stdout", b"0123456789\n" * 20, 1, None)
    waiting.put("stdout", b"x" * 50, 1, _PART)
    waiting.end()
    frame = waiting.take()
    assert frame is not None and frame[1] == b"0123456789\n" * 9
    assert waiting.dropped == 12 and waiting.take() is None
    waiting.put("stdout", b"y" * 1000 + b"\n", 1, None)
    frame = waiting.take()
    # Whatever its size, a line fits an empty queue.
    assert frame is not None and len(frame[1]) == 1001


def test_a_shipper_sends_what_it_is_given(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        server.settimeout(10)
        ours, theirs = socket.socketpair()
        plan = _plan("syslog", syslog_address=f"unixgram://{tmp_path}/log")
        thread = threading.Thread(target=ship, args=(plan, theirs))
        thread.start()
        assert ours.recv(10) == b"ok\n"
        ours.sendall(FRAME.pack(1, 0, 0, _TIME_NS, 4) + b"a\nb\n" + FRAME.pack(2, 3, 1, _TIME_NS, 1) + b"c")
        got = [server.recv(100)[-2:] for _ in range(3)]
        ours.close()
        thread.join()
    assert got == [b"a\n", b"b\n", b"c\n"]


def test_lines_are_lost_one_batch_at_a_time_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A receiver that refuses some messages gets the others."""
    taken: list[int] = []

    def send(self: Journald, messages: list[Message]) -> None:
        taken.append(len(messages))
        if len(taken) <= 2:
            raise OSError("no room")

    monkeypatch.setattr(Journald, "connect", lambda self: None)
    monkeypatch.setattr(Journald, "send", send)
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=ship, args=(_plan("journald"), theirs))
    thread.start()
    assert ours.recv(10) == b"ok\n"
    ours.sendall(FRAME.pack(1, 0, 0, _TIME_NS, 7000) + b"x\n" * 3500)
    ours.close()
    thread.join()
    assert taken == [1000, 1000, 1000, 500]
    assert capfd.readouterr().err.count("log lines lost: no room") == 1
