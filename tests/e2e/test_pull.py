"""Pulling from Debian's registry with the stock command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.daemon import PrivateDaemon
from tests.support.image_files import docker_archive, small_image
from tests.support.real_registry import docker_registry, push

pytestmark = pytest.mark.root

IMAGE = small_image({"etc/base": b"base" * 1000}, {"a": b"1"})


def test_pull_again_and_remove(engine: PrivateDaemon, tmp_path: Path, unused_tcp_port: int) -> None:
    with docker_registry(tmp_path, unused_tcp_port) as host:
        push(docker_archive((IMAGE, ["a:1"])), f"{host}/a/b:1", "v2s2", tmp_path)
        first = engine.docker("pull", f"{host}/a/b:1").stdout
        assert first.startswith("1: Pulling from a/b\n")
        assert first.count("Pull complete") == 2
        assert f"Status: Downloaded newer image for {host}/a/b:1\n" in first
        again = engine.docker("pull", f"{host}/a/b:1").stdout
        assert f"Status: Image is up to date for {host}/a/b:1\n" in again
        missing = engine.docker("pull", f"{host}/a/b:2", check=False)
        assert missing.returncode == 1
        text = f"manifest for {host}/a/b:2 not found: manifest unknown: manifest unknown"
        assert missing.stderr.strip() == f"Error response from daemon: {text}"
    digests = engine.docker("image", "inspect", "--format", "{{.RepoDigests}}", f"{host}/a/b:1").stdout
    assert digests.startswith(f"[{host}/a/b@sha256:")
    removed = engine.docker("rmi", f"{host}/a/b:1").stdout.splitlines()
    assert [line.split(" ")[0] for line in removed] == ["Untagged:"] * 2 + ["Deleted:"] * 3


def test_nobody_there(engine: PrivateDaemon, unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    done = engine.docker("pull", f"{address}/x", check=False)
    text = f'Get "http://{address}/v2/": dial tcp {address}: connect: connection refused'
    assert done.stderr.strip() == f"Error response from daemon: {text}"
