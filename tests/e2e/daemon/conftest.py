"""An engine that also listens on TCP with mutual TLS, keeps an audit log and serves metrics."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.certificates import Authority, server_flags
from tests.support.daemon import PrivateDaemon


@dataclass(frozen=True)
class Guarded:
    """The engine, its authority and its ports."""

    engine: PrivateDaemon
    authority: Authority
    port: int
    metrics: int

    @property
    def audit(self) -> Path:
        """Its audit log."""
        return self.engine.directory / "audit.log"

    def flags(self, name: str = "client") -> list[str]:
        """What the docker client needs to reach it over TLS."""
        folder = self.authority.directory / name
        return ["-H", f"tcp://127.0.0.1:{self.port}", *server_flags(folder)]


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[Guarded]:
    """It has the image `busybox`."""
    directory = tmp_path_factory.mktemp("guarded")
    authority = Authority(directory / "authority")
    authority.issue("server")
    authority.issue("client")
    daemon = PrivateDaemon(directory, number=6)
    port, metrics = free_port(), free_port()
    daemon.extra = [
        "--host",
        f"tcp://127.0.0.1:{port}",
        *server_flags(authority.directory / "server"),
        "--debug",
        "--audit-log",
        str(directory / "audit.log"),
        "--metrics-addr",
        f"127.0.0.1:{metrics}",
    ]
    daemon.start()
    try:
        daemon.docker("import", str(image_tar), "busybox")
        yield Guarded(daemon, authority, port, metrics)
    finally:
        daemon.destroy()
