"""Debian's docker-registry as a registry of one's own, filled by skopeo."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def docker_registry(directory: Path, port: int) -> Iterator[str]:
    """Serve an empty registry below `directory`; yields host and port. Skips the test where the tools are missing."""
    for tool in ("docker-registry", "skopeo"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    config = directory / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {directory}/registry}}}}\n"
        f"http: {{addr: 127.0.0.1:{port}}}\n"
    )
    with subprocess.Popen(
        ["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        if not any("listening on" in line for line in process.stderr):
            pytest.fail("docker-registry did not start")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def push(archive: bytes, name: str, kind: str, directory: Path) -> None:
    """Push the one image of a Docker archive as `name`, in the format `kind` ("oci" or "v2s2")."""
    path = directory / "pushed.tar"
    path.write_bytes(archive)
    copy = ["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "--format", kind]
    subprocess.run([*copy, f"docker-archive:{path}", f"docker://{name}"], check=True, capture_output=True)
