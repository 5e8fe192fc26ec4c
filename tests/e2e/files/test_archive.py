"""`/containers/{id}/archive` as clients use it: the stock CLI, docker-py, raw requests; running, paused, stopped."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from tests.support.daemon import PrivateDaemon

pytestmark = pytest.mark.root

_SETUP = (
    "mkdir -p /a/b; echo x > /a/b/f; ln -s /a/b /lnk; ln -s nowhere /dang; chmod 4711 /a/b/f; echo t > /t/f; sleep 1000"
)


@pytest.fixture(scope="module")
def box(engine: PrivateDaemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running container with a volume, a read-only bind and a tmpfs."""
    bind = tmp_path_factory.mktemp("bind")
    (bind / "host").write_text("of the host")
    engine.docker(
        *("run", "-d", "--name", "box", "--network", "none", "-v", "boxvol:/data", "-v", f"{bind}:/ro:ro"),
        *("--tmpfs", "/t", "busybox", "sh", "-c", _SETUP),
    )
    engine.docker("exec", "box", "sh", "-c", "until [ -s /t/f ]; do sleep 0.05; done")
    yield "box"
    engine.docker("rm", "-f", "box")
    engine.docker("volume", "rm", "boxvol")


def tar_of(files: dict[str, bytes], kinds: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.type = (kinds or {}).get(name, tarfile.REGTYPE)
            info.size = len(content)
            info.uid, info.gid = 1234, 2345
            info.mode = 0o755 if info.isdir() else 0o640
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def put(engine: PrivateDaemon, container: str, path: str, body: bytes, query: str = "") -> tuple[int, str]:
    head = (
        f"PUT /v1.50/containers/{container}/archive?path={path}{query} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
        f"Content-Type: application/x-tar\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return answer(engine.request(head.encode() + body))


def answer(raw: bytes) -> tuple[int, str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    text = body.decode("utf-8", "replace")
    return int(head.split()[1]), json.loads(text)["message"] if text.startswith("{") else text


def names(engine: PrivateDaemon, container: str, path: str) -> list[str]:
    raw = engine.get(f"/v1.50/containers/{container}/archive?path={path}")
    with tarfile.open(fileobj=io.BytesIO(raw.partition(b"\r\n\r\n")[2])) as tar:
        return tar.getnames()


def stat(engine: PrivateDaemon, container: str, path: str) -> dict[str, object]:
    head = f"HEAD /v1.50/containers/{container}/archive?path={path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n"
    for line in engine.request(head.encode()).decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "x-docker-container-path-stat":
            found: dict[str, object] = json.loads(base64.b64decode(value))
            return found
    return {}


def test_stat_tells_go_s_modes_and_where_links_lead(engine: PrivateDaemon, box: str) -> None:
    found = stat(engine, box, "/a/b/f")
    assert (found["name"], found["size"], found["mode"]) == ("f", 2, 1 << 23 | 0o711)
    assert stat(engine, box, "/a/b/")["mode"] == 1 << 31 | 0o755
    assert (stat(engine, box, "/lnk")["mode"], stat(engine, box, "/lnk")["linkTarget"]) == (1 << 27 | 0o777, "/a/b")
    assert stat(engine, box, "/dang")["linkTarget"] == "/nowhere"
    assert stat(engine, box, "/lnk/")["name"] == "lnk"
    assert stat(engine, box, "/../../..")["name"] == "/"
    assert stat(engine, box, "/nope") == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b/f", ["f"]),
        ("/a/b", ["b", "b/f"]),
        ("/a/b/.", [".", "./f"]),
        ("/lnk", ["lnk"]),
        ("/lnk/", ["lnk", "lnk/f"]),
        ("a/../a/b", ["b", "b/f"]),
        ("/t", ["t", "t/f"]),
        ("/ro", ["ro", "ro/host"]),
        ("/proc/", []),
        ("/nope", []),
    ],
)
def test_entries_are_called_as_dockerd_calls_them(
    engine: PrivateDaemon, box: str, path: str, expected: list[str]
) -> None:
    if expected:
        assert names(engine, box, path) == expected
    else:
        status, message = answer(engine.get(f"/v1.50/containers/{box}/archive?path={path}"))
        assert (status, message) == (404, f"Could not find the file {path} in container {box}")


def test_the_kernel_s_files_are_not_copied(engine: PrivateDaemon, box: str) -> None:
    found = names(engine, box, "/")
    assert "/a/b/f" in found and "/proc" in found
    assert not [name for name in found if name.startswith(("/proc/", "/sys/"))]


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_archives_of_every_compression_are_taken(engine: PrivateDaemon, box: str, compression: str) -> None:
    body = COMPRESSIONS[compression](tar_of({f"made-{compression}": compression.encode()}))
    assert put(engine, box, "/lnk", body)[0] == 200
    assert engine.docker("exec", box, "cat", f"/a/b/made-{compression}").stdout == compression


def test_owners_are_the_archive_s_or_the_container_s_user(engine: PrivateDaemon, box: str) -> None:
    assert put(engine, box, "/data", tar_of({"own": b""}))[0] == 200
    assert engine.docker("exec", box, "stat", "-c", "%u:%g %a", "/data/own").stdout == "1234:2345 640\n"
    engine.docker("create", "--name", "nobody", "-u", "7:8", "busybox", "true")
    try:
        assert (
            put(engine, "nobody", "/tmp", tar_of({"own": b"", "d": b""}, {"d": tarfile.DIRTYPE}), "&copyUIDGID=1")[0]
            == 200
        )
        assert put(engine, "nobody", "/var", tar_of({"own": b""}))[0] == 200
        raw = engine.get("/v1.50/containers/nobody/archive?path=/tmp/own").partition(b"\r\n\r\n")[2]
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            assert [(member.uid, member.gid) for member in tar] == [(7, 8)]
        raw = engine.get("/v1.50/containers/nobody/archive?path=/var/own").partition(b"\r\n\r\n")[2]
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            assert [(member.uid, member.gid) for member in tar] == [(1234, 2345)]
    finally:
        engine.docker("rm", "nobody")


def test_refusals_are_in_dockerd_s_words(engine: PrivateDaemon, box: str) -> None:
    body = tar_of({"x": b"1"})
    assert put(engine, box, "/nope", body) == (404, f"Could not find the file /nope in container {box}")
    assert put(engine, box, "/etc/passwd", body) == (400, "extraction point is not a directory")
    assert put(engine, box, "/ro", body) == (403, "mounted volume is marked read-only")
    assert put(engine, box, "", body) == (400, "bad parameter: path cannot be empty")
    assert put(engine, "nope", "/", body) == (404, "No such container: nope")
    assert put(engine, box, "/etc", tar_of({"hosts": b"1"})) == (500, "unlinkat /etc/hosts: device or resource busy")
    assert put(engine, box, "/a", tar_of({"../../up": b""})) == (400, '"../../up" is outside of "/a"')
    assert put(engine, box, "/a", b"junk\n" * 300)[0] == 500
    assert put(engine, box, "/a", body[:520])[0] == 500


def test_kinds_are_only_replaced_when_that_is_allowed(engine: PrivateDaemon, box: str) -> None:
    engine.docker("exec", box, "sh", "-c", "mkdir -p /k/dir; echo > /k/file; echo > /k/dir/in")
    file_for_dir, dir_for_file = tar_of({"dir": b"1"}), tar_of({"file": b""}, {"file": tarfile.DIRTYPE})
    flag = "&noOverwriteDirNonDir=1"
    assert put(engine, box, "/k", file_for_dir, flag) == (
        400,
        'cannot overwrite directory "/k/dir" with non-directory "/k"',
    )
    assert put(engine, box, "/k", dir_for_file, flag) == (
        400,
        'cannot overwrite non-directory "/k/file" with directory "/k"',
    )
    assert put(engine, box, "/k", file_for_dir)[0] == put(engine, box, "/k", dir_for_file)[0] == 200
    assert engine.docker("exec", box, "sh", "-c", "cat /k/dir; test -d /k/file").stdout == "1"


def test_cp_with_the_stock_client_into_a_running_a_paused_and_a_stopped_container(
    engine: PrivateDaemon, tmp_path: Path
) -> None:
    (tmp_path / "tree" / "d").mkdir(parents=True)
    (tmp_path / "tree" / "d" / "f").write_text("content")
    (tmp_path / "tree" / "l").symlink_to("d/f")
    engine.docker("run", "-d", "--name", "life", "-v", "lifevol:/vol", "busybox", "sleep", "1000")
    try:
        for state in ("running", "paused", "stopped"):
            if state == "paused":
                engine.docker("pause", "life")
            if state == "stopped":
                engine.docker("unpause", "life")
                engine.docker("kill", "life")
            engine.docker("cp", f"{tmp_path}/tree", f"life:/vol/{state}")
            engine.docker("cp", f"{tmp_path}/tree/.", f"life:/{state}")
            engine.docker("cp", "life:/vol/.", str(tmp_path / f"out-{state}"))
            engine.docker("cp", f"life:/{state}/l", str(tmp_path / f"link-{state}"))
            engine.docker("cp", "-L", f"life:/{state}/l", str(tmp_path / f"file-{state}"))
            assert (tmp_path / f"out-{state}" / state / "d" / "f").read_text() == "content"
            assert (tmp_path / f"link-{state}").is_symlink()
            assert (tmp_path / f"file-{state}").read_text() == "content"
        engine.docker("start", "life")
        assert engine.docker("exec", "life", "cat", "/vol/stopped/d/f", "/stopped/d/f").stdout == "contentcontent"
    finally:
        engine.docker("rm", "-f", "life")
        engine.docker("volume", "rm", "lifevol")


def test_cp_streams_by_dash(engine: PrivateDaemon, box: str) -> None:
    engine.docker("cp", "-", f"{box}:/tmp", input=tar_of({"dash/f": b"by dash"}))
    raw = subprocess.run(
        ["docker", "-H", engine.host, "cp", f"{box}:/tmp/dash", "-"], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        assert tar.getnames() == ["dash", "dash/f"]


def test_a_read_only_root_takes_nothing_and_its_volumes_do(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "rofs", "--read-only", "-v", "/vol", "busybox", "sleep", "1000")
    try:
        for _state in ("created", "running"):
            assert put(engine, "rofs", "/tmp", tar_of({"x": b""})) == (403, "container rootfs is marked read-only")
            assert put(engine, "rofs", "/vol", tar_of({"x": b"1"}))[0] == 200
            engine.docker("start", "rofs")
    finally:
        engine.docker("rm", "-fv", "rofs")


def test_docker_py_gets_and_puts(engine: PrivateDaemon, box: str) -> None:
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(base_url=engine.host, timeout=30)
    try:
        container = client.containers.get(box)
        assert container.put_archive("/tmp", tar_of({"py": b"python"})) is True
        chunks, found = container.get_archive("/tmp/py")
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            content = tar.extractfile("py")
            assert content is not None and content.read() == b"python"
        assert (found["name"], found["size"]) == ("py", 6)
        with pytest.raises(docker.errors.NotFound):
            container.get_archive("/nope")
    finally:
        client.close()


def test_events_tell_of_copies(engine: PrivateDaemon, box: str) -> None:
    put(engine, box, "/tmp", tar_of({"e": b""}))
    names(engine, box, "/tmp/e")
    found = engine.get(f"/v1.50/events?since={time.time() - 60:.9f}&until={time.time():.9f}").decode()
    events = [json.loads(line) for line in found.splitlines() if line.startswith('{"')]
    mine = {event["Action"] for event in events if event["Actor"]["Attributes"].get("name") == box}
    assert {"extract-to-dir", "archive-path"} <= mine
