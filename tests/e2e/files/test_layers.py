"""`diff`, `export` and `commit` as the stock CLI and docker-py use them."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import DOCKER, PrivateDaemon

pytestmark = pytest.mark.root

_CHANGES = (
    "touch /tmp/z; rm /tmp/z; touch /home; chmod 1777 /tmp; echo > /sbin; rm /bin/awk; chown 5 /bin/busybox;"
    " mkdir -p /new/d; echo content > /new/d/f; ln /new/d/f /new/hard; ln -s d/f /new/soft; echo >> /etc/passwd;"
    " echo tmpfs > /t/f; echo volume > /vol/f; rm -r /var; mkdir /var"
)


@pytest.fixture(scope="module")
def changed(engine: PrivateDaemon) -> Iterator[str]:
    """A container that has changed its files, and sleeps."""
    engine.docker(
        *("run", "-d", "--name", "changed", "--network", "none", "-v", "changedvol:/vol", "--tmpfs", "/t"),
        *("-e", "K=v", "-l", "own=label", "busybox", "sh", "-c", f"{_CHANGES}; touch /done; sleep 1000"),
    )
    engine.docker("exec", "changed", "sh", "-c", "until [ -e /done ]; do sleep 0.05; done")
    yield "changed"
    engine.docker("rm", "-f", "changed")
    engine.docker("volume", "rm", "changedvol")


def exported(engine: PrivateDaemon, container: str) -> dict[str, tarfile.TarInfo]:
    assert DOCKER is not None
    raw = subprocess.run([DOCKER, "-H", engine.host, "export", container], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return {member.name: member for member in tar}


def image(engine: PrivateDaemon, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(engine.docker("image", "inspect", name).stdout)[0]
    return found


def test_diff_tells_what_dockerd_tells(engine: PrivateDaemon, changed: str) -> None:
    lines = engine.docker("diff", changed).stdout.splitlines()
    assert lines == [
        "C /bin",
        "D /bin/awk",
        "C /bin/busybox",
        "A /done",
        "C /etc",
        "C /etc/passwd",
        "A /home",
        "A /new",
        "A /new/d",
        "A /new/d/f",
        "A /new/hard",
        "A /new/soft",
        "A /sbin",
        "A /t",
        "C /tmp",
        "A /vol",
    ]
    assert engine.windlass("diff", changed).stdout.splitlines() == lines


def test_a_container_that_did_nothing_has_no_changes(engine: PrivateDaemon) -> None:
    engine.docker("run", "--name", "still", "busybox", "true")
    try:
        assert engine.docker("diff", "still").stdout == ""
        assert engine.get("/v1.50/containers/still/changes").endswith(b"\r\n\r\nnull")
    finally:
        engine.docker("rm", "still")


def test_export_has_the_files_and_nothing_that_is_mounted(engine: PrivateDaemon, changed: str) -> None:
    found = exported(engine, changed)
    assert found["new/soft"].linkname == "d/f" and found["new/hard"].linkname == "new/d/f"
    assert "bin/awk" not in found and "bin/sh" in found
    assert found["bin/busybox"].uid == 5
    assert {"vol", "t", "proc"} <= set(found)
    assert not [name for name in found if name.startswith(("vol/", "t/", "proc/", "sys/", "dev/"))]


def test_export_and_import_give_the_same_root(engine: PrivateDaemon, changed: str, tmp_path: Path) -> None:
    path = tmp_path / "root.tar"
    engine.windlass("export", "-o", str(path), changed)
    engine.docker("import", str(path), "again")
    try:
        assert engine.docker("run", "--rm", "again", "cat", "/new/soft").stdout == "content\n"
    finally:
        engine.docker("rmi", "again")


def test_commit_makes_an_image_of_the_changes(engine: PrivateDaemon, changed: str) -> None:
    made = engine.docker("commit", "-a", "me <m@e>", "-m", "words", changed, "committed:1").stdout.strip()
    try:
        found, parent = image(engine, "committed:1"), image(engine, "busybox")
        assert (found["Id"], found["Parent"]) == (made, parent["Id"])
        assert (found["Author"], found["Comment"]) == ("me <m@e>", "words")
        config = found["Config"]
        assert isinstance(config, dict)
        assert config["Cmd"][:2] == ["sh", "-c"] and "K=v" in config["Env"] and config["Labels"] == {"own": "label"}
        history = engine.docker("history", "--no-trunc", "--format", "{{.Comment}}|{{.CreatedBy}}", made).stdout
        assert history.startswith("words|sh -c touch /tmp/z;")
        script = (
            "cat /new/soft /new/hard; test ! -e /bin/awk && test ! -e /vol/f && ls /t; stat -c %u /bin/busybox; ls /var"
        )
        assert engine.docker("run", "--rm", made, "sh", "-c", script).stdout == "content\ncontent\n5\n"
        assert engine.docker("inspect", "-f", "{{.State.Status}}", changed).stdout == "running\n"
    finally:
        engine.docker("rmi", "committed:1")


def test_commit_applies_changes(engine: PrivateDaemon, changed: str) -> None:
    changes = ['ENTRYPOINT ["/bin/echo"]', "ENV A=b K=w", "EXPOSE 80", "LABEL x=y", "USER 3", "WORKDIR /new"]
    flags = [word for change in changes for word in ("-c", change)]
    made = engine.docker("commit", "--pause=false", *flags, changed).stdout.strip()
    try:
        config = image(engine, made)["Config"]
        assert isinstance(config, dict)
        assert (config["Entrypoint"], config["Cmd"]) == (["/bin/echo"], None)
        assert {"A=b", "K=w"} <= set(config["Env"]) and config["Labels"] == {"own": "label", "x": "y"}
        assert (config["User"], config["WorkingDir"]) == ("3", "/new") and "80/tcp" in config["ExposedPorts"]
        assert engine.docker("run", "--rm", made, "hello").stdout == "hello\n"
    finally:
        engine.docker("rmi", made)


def test_commit_of_nothing_adds_no_layer(engine: PrivateDaemon) -> None:
    engine.docker("run", "--name", "none", "busybox", "true")
    made = engine.docker("commit", "none").stdout.strip()
    try:
        assert image(engine, made)["RootFS"] == image(engine, "busybox")["RootFS"]
        assert engine.docker("run", "--rm", made, "echo", "runs").stdout == "runs\n"
    finally:
        engine.docker("rm", "none")
        engine.docker("rmi", made)


def test_a_commit_can_be_saved_loaded_and_committed_again(engine: PrivateDaemon, tmp_path: Path) -> None:
    engine.docker("run", "--name", "first", "busybox", "sh", "-c", "mkdir /d; echo 1 > /d/one; echo 2 > /d/two")
    engine.docker("commit", "first", "first")
    script = "rm /d/one; echo 3 > /d/three; mkdir /x; mknod /x/p p; ln /d/three /x/l; touch -d '1960-01-01 00:00' /x/l"
    engine.docker(
        "run", "--name", "second", "first", "sh", "-c", f"{script}; rm -r /var; mkdir -m 2775 /var; echo > /var/f"
    )
    made = engine.docker("commit", "second", "second").stdout.strip()
    try:
        engine.docker("save", "-o", str(tmp_path / "second.tar"), "second")
        engine.docker("rm", "first", "second")
        engine.docker("rmi", "second", "first")
        engine.docker("load", "-i", str(tmp_path / "second.tar"))
        assert image(engine, "second")["Id"] == made
        assert engine.docker("run", "--rm", "second", "sh", "-c", "cat /d/*; ls /d").stdout == "3\n2\nthree\ntwo\n"
    finally:
        engine.docker("rm", "-f", "first", "second", check=False)
        engine.docker("rmi", "second")


def test_refusals_are_in_dockerd_s_words(engine: PrivateDaemon, changed: str) -> None:
    def post(query: str) -> tuple[int, str]:
        raw = engine.request(
            f"POST /v1.50/commit?{query} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
        )
        return int(raw.split()[1]), json.loads(raw.partition(b"\r\n\r\n")[2])["message"]

    assert post("container=nope") == (404, "No such container: nope")
    assert post("") == (400, 'invalid name or ID supplied: ""')
    assert post(f"container={changed}&changes=FOO%20x") == (400, "foo is not a valid change command")
    assert post(f"container={changed}&repo=Bad")[0] == 400


def test_docker_py_commits_with_a_configuration_of_its_own(engine: PrivateDaemon, changed: str) -> None:
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(base_url=engine.host, timeout=30)
    try:
        container = client.containers.get(changed)
        assert {"Path": "/done", "Kind": 1} in container.diff()
        made = container.commit("bypy", tag="t", message="m", conf={"Cmd": ["echo", "conf"]}, changes="LABEL a=b")
        assert client.containers.run("bypy:t", remove=True) == b"conf\n"
        assert made.labels == {"own": "label", "a": "b"}
        client.images.remove("bypy:t")
        assert b"new/d/f" in b"".join(container.export())
    finally:
        client.close()


def test_events_tell_of_commits_and_exports(engine: PrivateDaemon, changed: str) -> None:
    exported(engine, changed)
    made = engine.docker("commit", "-m", "said", changed).stdout.strip()
    engine.docker("rmi", made)
    found = engine.get(f"/v1.50/events?since={time.time() - 60:.9f}&until={time.time():.9f}").decode()
    events = [json.loads(line) for line in found.splitlines() if line.startswith('{"')]
    mine = [event for event in events if event["Actor"]["Attributes"].get("name") == changed]
    assert {"export", "pause", "unpause"} <= {event["Action"] for event in mine}
    commits = [event["Actor"]["Attributes"] for event in mine if event["Action"] == "commit"]
    assert [(one["comment"], one["imageID"], one["imageRef"]) for one in commits if one["comment"] == "said"] == [
        ("said", made, "")
    ]
