"""docker-py, the Python SDK."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon

docker = pytest.importorskip("docker")

pytestmark = pytest.mark.root


@pytest.fixture
def client(engine: PrivateDaemon) -> Iterator[docker.DockerClient]:
    client = docker.DockerClient(base_url=engine.host, timeout=30)
    yield client
    client.close()


def test_ping_version_info(client: docker.DockerClient) -> None:
    assert client.ping() is True
    assert client.version()["ApiVersion"] == "1.50"
    assert client.info()["OSType"] == "linux"


def test_run_returns_output_and_raises_on_failure(client: docker.DockerClient) -> None:
    assert client.containers.run("busybox", ["echo", "hi"], remove=True) == b"hi\n"
    with pytest.raises(docker.errors.ContainerError) as caught:
        client.containers.run("busybox", ["sh", "-c", "echo bad >&2; exit 2"], remove=True)
    assert caught.value.exit_status == 2 and caught.value.stderr == b"bad\n"


def test_errors_are_the_sdk_s_own(client: docker.DockerClient) -> None:
    with pytest.raises(docker.errors.ImageNotFound):
        client.images.get("nope:never")
    with pytest.raises(docker.errors.NotFound):
        client.containers.get("nope")
    with pytest.raises(docker.errors.ImageNotFound):
        client.api.create_container("nope:never", "true")
    with pytest.raises(docker.errors.APIError):
        client.containers.run("busybox", "nope-command", remove=True)


def test_life_exec_logs_and_stats(client: docker.DockerClient) -> None:
    container = client.containers.run("busybox", ["sleep", "1000"], detach=True, labels={"k": "v"})
    try:
        assert [c.id for c in client.containers.list(filters={"label": "k=v"})] == [container.id]
        code, output = container.exec_run(["sh", "-c", "echo in; exit 4"])
        assert (code, output) == (4, b"in\n")
        code, (stdout, stderr) = container.exec_run(["sh", "-c", "echo o; echo e >&2"], demux=True)
        assert (code, stdout, stderr) == (0, b"o\n", b"e\n")
        container.rename("renamed-by-sdk")
        container.reload()
        assert container.name == "renamed-by-sdk"
        assert container.top()["Processes"]
        container.pause()
        container.reload()
        assert container.status == "paused"
        container.unpause()
        container.stop(timeout=0)
        assert container.wait()["StatusCode"] == 137
        assert container.logs() == b""
    finally:
        container.remove(force=True)


def test_attach_socket_and_stream_logs(client: docker.DockerClient) -> None:
    container = client.containers.create("busybox", ["cat"], stdin_open=True, tty=False)
    try:
        sock = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        container.start()
        sock._sock.sendall(b"through the socket\n")
        frame = b""
        while len(frame) < 27:
            frame += sock._sock.recv(100)
        assert frame[:8] == b"\x01\0\0\0\0\0\0\x13" and frame[8:] == b"through the socket\n"
        sock.close()
        assert next(iter(container.logs(stream=True, follow=True))) == b"through the socket\n"
    finally:
        container.remove(force=True)


def test_images(client: docker.DockerClient, image_tar: Path) -> None:
    image = client.images.get("busybox")
    assert "busybox:latest" in image.tags
    assert image.tag("sdk/box", "one")
    data = b"".join(client.images.get("sdk/box:one").save(named="sdk/box:one"))
    client.images.remove("sdk/box:one")
    (loaded,) = client.images.load(io.BytesIO(data))
    assert loaded.id == image.id and "sdk/box:one" in loaded.tags
    client.images.remove("sdk/box:one")


def test_events_are_decoded(client: docker.DockerClient) -> None:
    client.containers.run("busybox", ["true"], remove=True, name="sdk-events")
    actions = [
        e["Action"]
        for e in client.events(
            since="2020-01-01T00:00:00Z",
            until=0.1 + __import__("time").time(),
            decode=True,
            filters={"container": "sdk-events"},
        )
    ]
    assert actions[0] == "create" and actions[-1] == "destroy"
