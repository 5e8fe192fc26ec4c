"""Log drivers end to end: where lines arrive, what `logs` shows, and what a receiver that is not there does."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = [pytest.mark.root, pytest.mark.skipif(DOCKER is None, reason="no docker CLI")]

_WAIT_S = 15


def _docker(
    engine: PrivateDaemon, *arguments: str, check: bool = True, timeout_s: float = 60
) -> subprocess.CompletedProcess[bytes]:
    assert DOCKER is not None
    command = [DOCKER, "-H", engine.host, *arguments]
    done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture
def run(engine: PrivateDaemon) -> Iterator[Callable[..., str]]:
    """Run a container with log options to its end, and return its id."""
    made: list[str] = []

    def make(driver: str, script: str, *options: str, more: tuple[str, ...] = ()) -> str:
        log = [part for option in options for part in ("--log-opt", option)]
        name = f"log{len(made)}"
        made.append(name)
        command = ("--log-driver", driver, *log, *more, "--network", "none", "busybox", "sh", "-c", script)
        _docker(engine, "run", "-d", "--name", name, *command)
        _docker(engine, "wait", name)
        return name

    yield make
    for name in made:
        _docker(engine, "rm", "-f", name)


def _log_files(engine: PrivateDaemon, name: str, pattern: str) -> list[Path]:
    identity = _docker(engine, "inspect", "-f", "{{.Id}}", name).stdout.decode().strip()
    return sorted((engine.data_root / "containers" / identity).glob(pattern))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("driver", ["json-file", "local"])
def test_logs_are_read_across_compressed_files(engine: PrivateDaemon, run: Callable[..., str], driver: str) -> None:
    script = "i=0; while [ $i -lt 40 ]; do seq $((i*500+1)) $((i*500+500)); i=$((i+1)); usleep 5000; done"
    name = run(driver, script, "max-size=200k", "max-file=20")
    assert _log_files(engine, name, "**/*.gz")
    assert _docker(engine, "logs", name).stdout.split() == [b"%d" % n for n in range(1, 20001)]
    assert _docker(engine, "logs", "--tail", "9000", name).stdout.split() == [b"%d" % n for n in range(11001, 20001)]


def test_system_df_counts_logs(engine: PrivateDaemon, run: Callable[..., str]) -> None:
    name = run("json-file", "dd if=/dev/zero bs=64k count=16 2>/dev/null | tr '\\0' 'x' | fold -w 100")
    (log,) = _log_files(engine, name, "*-json.log")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(engine.socket))
        client.sendall(b"GET /v1.45/system/df?type=container HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    containers = json.loads(answer.partition(b"\r\n\r\n")[2])["Containers"]
    (size,) = (found["SizeRw"] for found in containers if found["Names"] == [f"/{name}"])
    assert size >= log.stat().st_blocks * 512 > 1_000_000


def test_binary_output_survives_in_the_local_format(engine: PrivateDaemon, run: Callable[..., str]) -> None:
    name = run("local", r"printf 'a\000\377\n\200b'; printf x >&2")
    done = _docker(engine, "logs", name)
    assert (done.stdout, done.stderr) == (b"a\x00\xff\n\x80b", b"x")


def test_details_show_the_chosen_labels_and_variables(engine: PrivateDaemon, run: Callable[..., str]) -> None:
    more = ("--label", "app.name=a b", "--label", "other=1", "-e", "TIER=x", "-e", "TOP=y")
    name = run("json-file", "echo hi", "labels-regex=^app", "env=TIER", "tag={{.Name}}/{{upper .Hostname}}", more=more)
    host = socket.gethostname().upper()
    assert _docker(engine, "logs", "--details", name).stdout.decode() == (
        f"TIER=x,app.name=a+b,tag={name}%2F{host} hi\n"
    )


def test_syslog_over_udp_with_a_local_copy(engine: PrivateDaemon, run: Callable[..., str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_WAIT_S)
        address = f"syslog-address=udp://127.0.0.1:{receiver.getsockname()[1]}"
        name = run(
            "syslog", "echo out; sleep 0.1; echo err >&2", address, "syslog-format=rfc5424micro", "tag=t-{{.Name}}"
        )
        out, err = receiver.recv(4096), receiver.recv(4096)
    assert out.startswith(b"<30>1 2") and out.endswith(b" t-%b - out\n" % name.encode())
    assert err.startswith(b"<27>1 2") and err.endswith(b" - err\n")
    done = _docker(engine, "logs", name)
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_gelf_over_udp(run: Callable[..., str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_WAIT_S)
        address = f"gelf-address=udp://127.0.0.1:{receiver.getsockname()[1]}"
        name = run("gelf", "echo hello >&2", address, "gelf-compression-type=gzip")
        message = json.loads(zlib.decompress(receiver.recv(65536), 31))
    assert message["short_message"] == "hello" and message["level"] == 3 and message["version"] == "1.1"
    assert message["_container_name"] == name and message["_command"] == "sh -c echo hello >&2"


def test_fluentd_takes_events(run: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"fluentd-address=127.0.0.1:{server.getsockname()[1]}"
        name = run("fluentd", "echo one; echo two", address, "fluentd-sub-second-precision=true")
        connection, _ = server.accept()
        with connection:
            connection.settimeout(_WAIT_S)
            data = b""
            while more := connection.recv(65536):
                data += more
    # An array of three after another: the second begins where the first ended.
    first = data[: data.index(b"\x93", 1)]
    tag, moment, record = msgspec.msgpack.decode(first)
    assert len(tag) == 12 and moment.code == 0 and len(moment.data) == 8
    assert record["log"] == "one" and record["source"] == "stdout" and record["container_name"] == f"/{name}"


def test_a_receiver_that_is_not_there_stops_the_start(engine: PrivateDaemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    options = ("--log-driver", "syslog", "--log-opt", f"syslog-address=tcp://127.0.0.1:{port}")
    done = _docker(engine, "run", "--rm", *options, "busybox", "true", check=False)
    assert done.returncode == 125
    assert (
        f"failed to create task for container: failed to initialize logging driver: "
        f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    ).encode() in done.stderr


@pytest.mark.parametrize(("mode", "ends"), [("non-blocking", True), ("blocking", False)])
def test_a_receiver_that_stalls(engine: PrivateDaemon, mode: str, ends: bool) -> None:
    """A non-blocking log drops what does not fit; a blocking one holds the container, until that is killed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"syslog-address=tcp://127.0.0.1:{server.getsockname()[1]}"
        options = ("--log-driver", "syslog", "--log-opt", address, "--log-opt", f"mode={mode}")
        name = f"stall-{mode}"
        script = "dd if=/dev/zero bs=64k count=500 2>/dev/null | tr '\\0' 'x' | fold -w 100"
        _docker(engine, "run", "-d", "--name", name, *options, "--network", "none", "busybox", "sh", "-c", script)
        connection, _ = server.accept()
        try:
            if ends:
                assert _docker(engine, "wait", name).stdout == b"0\n"
            else:
                with pytest.raises(subprocess.TimeoutExpired):
                    _docker(engine, "wait", name, timeout_s=1)
        finally:
            _docker(engine, "rm", "-f", name)
            connection.close()
    if ends:
        _until(lambda: "log lines dropped, their receiver was too slow" in engine.log)


def test_a_follower_meets_rotation_and_survives_the_daemon(own_engine: PrivateDaemon) -> None:
    """A worker serves it: it needs no daemon."""
    engine = own_engine
    script = "i=0; while [ $i -lt 100 ]; do seq $((i*100+1)) $((i*100+100)); i=$((i+1)); usleep 30000; done"
    options = ("--log-opt", "max-size=100k", "--log-opt", "max-file=20", "--network", "none")
    _docker(engine, "run", "-d", "--name", "follow", *options, "busybox", "sh", "-c", script)
    assert DOCKER is not None
    follower = subprocess.Popen([DOCKER, "-H", engine.host, "logs", "-f", "follow"], stdout=subprocess.PIPE, bufsize=0)
    assert follower.stdout is not None
    first = follower.stdout.read(1)
    engine.kill()
    rest, _ = follower.communicate(timeout=60)
    assert (first + rest).split() == [b"%d" % n for n in range(1, 10001)]
    engine.start()
    assert _docker(engine, "logs", "--tail", "1", "follow").stdout == b"10000\n"
