"""Files of hostile containers: `cp`, `diff`, `export` and `commit` reach nothing but the container's own.

CVE-2018-15664 (a link swapped while it is resolved), CVE-2019-14271 (code loaded from the container), CVE-2021-41089
(modes changed on the host), CVE-2026-17106 (links in archives), CVE-2026-41567 (decompressors run from the container),
CVE-2026-41568 and CVE-2026-42306 (places of mounts that lead outside), CVE-2024-9676 (`/etc/passwd` is a FIFO).
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon, busybox_tar

pytestmark = pytest.mark.root

_SECRET = "of the host"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateDaemon]:
    """An engine that has the image `busybox`."""
    daemon = PrivateDaemon(tmp_path_factory.mktemp("f"), number=6)
    daemon.start()
    try:
        daemon.docker("import", str(busybox_tar(tmp_path_factory.mktemp("b"))), "busybox")
        yield daemon
    finally:
        daemon.destroy()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory of the host that nothing may reach."""
    directory = tmp_path / "outside"
    directory.mkdir(mode=0o750)
    (directory / "secret").write_text(_SECRET)
    (directory / "secret").chmod(0o600)
    return directory


def assert_untouched(outside: Path) -> None:
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == _SECRET
    assert (outside.stat().st_mode & 0o7777, (outside / "secret").stat().st_mode & 0o7777) == (0o750, 0o600)
    assert (outside / "secret").stat().st_nlink == 1


def tar_of(*members: tuple[str, bytes, str], content: bytes = b"hostile", mode: int = 0o777) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode = kind, link, mode
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return buffer.getvalue()


def put(engine: PrivateDaemon, container: str, path: str, body: bytes, query: str = "") -> tuple[int, str]:
    head = (
        f"PUT /v1.50/containers/{container}/archive?path={path}{query} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
        f"Content-Type: application/x-tar\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    head_of_answer, _, text = engine.request(head.encode() + body).partition(b"\r\n\r\n")
    return int(head_of_answer.split()[1]), json.loads(text)["message"] if text else ""


def get(engine: PrivateDaemon, container: str, path: str) -> bytes:
    return engine.get(f"/v1.50/containers/{container}/archive?path={path}").partition(b"\r\n\r\n")[2]


def test_a_link_that_is_swapped_meanwhile_leads_nowhere(engine: PrivateDaemon, outside: Path) -> None:
    # Both are always there: the exchange is one rename each way, and one of them is a link to the host's path.
    swap = (
        f"mkdir /plain /swap; echo mine > /plain/secret; ln -s {outside} /link; touch /ready;"
        " while :; do mv -T /swap /was; mv -T /link /swap; mv -T /swap /link; mv -T /was /swap; done"
    )
    engine.docker("run", "-d", "--name", "swapper", "--network", "none", "busybox", "sh", "-c", swap)
    try:
        engine.docker("exec", "swapper", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
        for number in range(15):
            put(
                engine,
                "swapper",
                "/swap",
                tar_of((f"in-{number}", tarfile.REGTYPE, ""), ("secret", tarfile.REGTYPE, "")),
            )
            put(engine, "swapper", "/", tar_of(("swap", tarfile.DIRTYPE, ""), ("swap/secret", tarfile.REGTYPE, "")))
            assert _SECRET.encode() not in get(engine, "swapper", "/swap/secret")
            assert _SECRET.encode() not in get(engine, "swapper", "/swap/")
            assert _SECRET.encode() not in engine.get("/v1.50/containers/swapper/export")
        engine.docker("diff", "swapper")
    finally:
        engine.docker("rm", "-f", "swapper")
    assert_untouched(outside)


def test_links_in_an_archive_stay_in_the_container(engine: PrivateDaemon, outside: Path) -> None:
    engine.docker("create", "--name", "links", "-v", "/vol", "busybox", "sleep", "1000")
    up = "../" * 12 + str(outside).lstrip("/")
    try:
        for _state in ("created", "running"):
            for directory in ("/vol", "/tmp"):
                for target in (str(outside), up):
                    put(
                        engine,
                        "links",
                        directory,
                        tar_of(("l", tarfile.SYMTYPE, target), ("l/secret", tarfile.REGTYPE, "")),
                    )
                    put(engine, "links", directory, tar_of(("h", tarfile.LNKTYPE, f"{target}/secret")))
                    put(
                        engine,
                        "links",
                        directory,
                        tar_of(("s", tarfile.SYMTYPE, f"{target}/secret"), ("h", tarfile.LNKTYPE, "s")),
                    )
                    put(engine, "links", directory, tar_of(("l", tarfile.SYMTYPE, target), ("l", tarfile.DIRTYPE, "")))
                    assert _SECRET.encode() not in get(engine, "links", f"{directory}/l/secret")
                    assert _SECRET.encode() not in get(engine, "links", f"{directory}/s")
            assert_untouched(outside)
            engine.docker("start", "links")
    finally:
        engine.docker("rm", "-fv", "links")
    assert_untouched(outside)


def test_the_place_of_a_mount_is_made_in_the_container_or_not_at_all(engine: PrivateDaemon, outside: Path) -> None:
    # A neighbour has put links into the volume, where this container, which does not run, has mounts.
    engine.docker("run", "--rm", "-v", "evil:/v", "busybox", "ln", "-s", str(outside), "/v/sub")
    engine.docker("run", "--rm", "-v", "evil:/v", "busybox", "ln", "-s", f"{outside}/made", "/v/missing")
    mounts = ("-v", "evil:/data", "-v", "/data/sub/deeper", "-v", "/data/sub", "-v", "/data/missing")
    engine.docker("create", "--name", "placed", *mounts, "busybox", "true")
    try:
        for path in ("/data/sub", "/data/sub/deeper", "/data/missing", "/data", "/"):
            put(engine, "placed", path, tar_of(("secret", tarfile.REGTYPE, ""), ("d", tarfile.DIRTYPE, "")))
            assert _SECRET.encode() not in get(engine, "placed", path)
        assert_untouched(outside)
    finally:
        engine.docker("rm", "-fv", "placed")
        engine.docker("volume", "rm", "evil")


def test_nothing_of_the_container_is_run_or_loaded(engine: PrivateDaemon) -> None:
    programs = ("xz", "unxz", "unpigz", "gzip", "gunzip", "bzip2", "zstd", "tar", "python3")
    script = "; ".join(
        f"for d in /bin /usr/bin /usr/local/bin; do mkdir -p $d; rm -f $d/{name};"
        f" printf '#!/bin/sh\\ntouch /ran-{name}\\n' > $d/{name}; chmod 755 $d/{name}; done"
        for name in programs
    )
    hostile = (
        f"{script}; mkdir -p /lib/x86_64-linux-gnu /usr/lib/python3; echo 'raise SystemExit' > /usr/lib/python3/os.py"
    )
    nss = "echo 'passwd: evil' > /etc/nsswitch.conf; echo not-a-library > /lib/x86_64-linux-gnu/libnss_evil.so.2"
    run = f"{hostile}; {nss}; echo u:x:5:6::/: >> /etc/passwd; touch /ready; sleep 1000"
    engine.docker("run", "-d", "--name", "trap", "-u", "0", "--network", "none", "busybox", "sh", "-c", run)
    try:
        engine.docker("exec", "trap", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
        body = lzma.compress(tar_of(("taken", tarfile.REGTYPE, "")))
        assert put(engine, "trap", "/tmp", body, "&copyUIDGID=1") == (200, "")
        assert b"taken" in get(engine, "trap", "/tmp/taken")
        assert engine.docker("exec", "trap", "sh", "-c", "ls / | grep ran- || true").stdout == ""
    finally:
        engine.docker("rm", "-f", "trap")


def test_users_are_looked_up_in_the_container_and_a_fifo_there_blocks_nobody(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "users", "-u", "named", "busybox", "true")
    try:
        body = tar_of(("passwd", tarfile.REGTYPE, ""), content=b"named:x:41:42::/:\n")
        assert put(engine, "users", "/etc", body)[0] == 200
        assert put(engine, "users", "/tmp", tar_of(("mine", tarfile.REGTYPE, "")), "&copyUIDGID=1")[0] == 200
        with tarfile.open(fileobj=io.BytesIO(get(engine, "users", "/tmp/mine"))) as tar:
            assert [(member.uid, member.gid) for member in tar] == [(41, 42)]
        assert put(engine, "users", "/etc", tar_of(("passwd", tarfile.FIFOTYPE, "")))[0] == 200
        status, message = put(engine, "users", "/tmp", tar_of(("x", tarfile.REGTYPE, "")), "&copyUIDGID=1")
        assert status == 400 and "not a regular file" in message
    finally:
        engine.docker("rm", "users")


def test_devices_and_fifos_are_copied_and_never_opened(engine: PrivateDaemon, tmp_path: Path) -> None:
    script = "mkdir /n; mknod /n/fifo p; mknod /n/disk b 7 0; echo ok > /n/file; touch /ready; sleep 1000"
    engine.docker("run", "-d", "--name", "nodes", "--network", "none", "busybox", "sh", "-c", script)
    try:
        engine.docker("exec", "nodes", "sh", "-c", "until [ -e /ready ]; do sleep 0.01; done")
        with tarfile.open(fileobj=io.BytesIO(get(engine, "nodes", "/n"))) as tar:
            assert {member.name: member.type for member in tar} == {
                "n": tarfile.DIRTYPE,
                "n/disk": tarfile.BLKTYPE,
                "n/fifo": tarfile.FIFOTYPE,
                "n/file": tarfile.REGTYPE,
            }
        engine.docker("export", "-o", str(tmp_path / "nodes.tar"), "nodes")
        engine.docker("rmi", engine.docker("commit", "nodes").stdout.strip())
    finally:
        engine.docker("rm", "-f", "nodes")


def test_marks_of_overlays_cannot_be_forged(engine: PrivateDaemon) -> None:
    engine.docker("create", "--name", "marks", "busybox", "true")
    try:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            info = tarfile.TarInfo("d")
            info.type = tarfile.DIRTYPE
            info.pax_headers = {"SCHILY.xattr.trusted.overlay.opaque": "y"}
            tar.addfile(info)
        assert put(engine, "marks", "/etc", buffer.getvalue())[0] == 400
        assert put(engine, "marks", "/bin", tar_of(("sh", tarfile.CHRTYPE, "")))[0] == 400
        assert put(engine, "marks", "/etc", tar_of((".wh.passwd", tarfile.REGTYPE, "")))[0] == 200
        assert b"root" in get(engine, "marks", "/etc/passwd")
    finally:
        engine.docker("rm", "marks")
