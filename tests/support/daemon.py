"""A private `windlassd` for black-box tests: its own roots, socket, bridge and nftables table."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.support.rootfs import make_busybox_root

_START_TIMEOUT_S = 30
_BOOT = "import sys; sys.path[:] = {path!r}; sys.argv[:] = {argv!r}; from {module} import main; sys.exit(main())"
DOCKER = "/usr/local/bin/docker" if os.path.exists("/usr/local/bin/docker") else shutil.which("docker")


def python_command(module: str, argv: list[str]) -> list[str]:
    """A command that runs `module.main` with this run's import path."""
    path = [entry for entry in sys.path if entry]
    return [sys.executable, "-I", "-c", _BOOT.format(path=path, argv=argv, module=module)]


class PrivateDaemon:
    """One engine with everything of its own below `directory`, named by `number` where the host is shared."""

    def __init__(self, directory: Path, number: int = 0) -> None:
        self.directory = directory
        self.socket = directory / "windlass.sock"
        self.bridge = f"wltest{os.getpid() % 10000}{number}"[:15]
        self.table = f"windlass-{os.getpid()}-{number}"
        self.cgroup = f"windlass-test-{os.getpid()}-{number}"
        self.subnet = f"10.{200 + number}.{os.getpid() % 250}.1/24"
        self.extra: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """What `-H` takes."""
        return f"unix://{self.socket}"

    @property
    def data_root(self) -> Path:
        """Its data root."""
        return self.directory / "data"

    @property
    def run_root(self) -> Path:
        """Its run root."""
        return self.directory / "run"

    @property
    def log(self) -> str:
        """What it logged."""
        return (self.directory / "daemon.log").read_text()

    def argv(self) -> list[str]:
        """Its flags."""
        return [
            "windlassd",
            "-H",
            self.host,
            "--data-root",
            str(self.data_root),
            "--exec-root",
            str(self.run_root),
            "--bridge",
            self.bridge,
            "--bip",
            self.subnet,
            "--firewall-table",
            self.table,
            "--cgroup-parent",
            self.cgroup,
            "--config-file",
            str(self.directory / "daemon.json"),
            *self.extra,
        ]

    def command(self) -> list[str]:
        """Its command line."""
        return python_command("windlass.daemon.main", self.argv())

    def start(self) -> None:
        """Start it and wait until it serves."""
        (self.directory / "daemon.json").touch()
        read, write = os.pipe()
        with open(self.directory / "daemon.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[write],
                env={**os.environ, "WINDLASS_READY_FD": str(write)},
                start_new_session=True,
            )
        os.close(write)
        with open(read, "rb") as pipe:
            line = pipe.readline().decode().strip()
        if line != "ready":
            self.process.wait(_START_TIMEOUT_S)
            raise AssertionError(f"the daemon did not start: {line}\n{self.log[-4000:]}")

    def stop(self) -> None:
        """Stop it gracefully; its containers go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_START_TIMEOUT_S)
            finally:
                self.kill()

    def kill(self) -> None:
        """Kill it as nothing can be prepared for."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(_START_TIMEOUT_S)
            self.process = None

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    def destroy(self) -> None:
        """Remove every container, stop the daemon, and take its bridge, table and groups off the host."""
        if self.process is None or self.process.poll() is not None:
            self.process = None
            self.start()
        containers = self.docker("ps", "-aq", check=False).stdout.split()
        if containers:
            self.docker("rm", "-fv", *containers, check=False)
        self.stop()
        subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True, check=False)
        subprocess.run(["nft", "delete", "table", "inet", self.table], capture_output=True, check=False)
        subprocess.run(["nft", "delete", "table", "ip", self.table], capture_output=True, check=False)
        for path in Path("/sys/fs/cgroup").glob(f"**/{self.cgroup}"):
            for group in sorted(path.rglob("*/"), reverse=True):
                group.rmdir()
            path.rmdir()

    # --- clients ------------------------------------------------------------------------------------

    def docker(
        self, *argv: str, check: bool = True, input: str | bytes | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run the stock docker CLI."""
        if DOCKER is None:
            pytest.skip("no docker CLI on this host")
        return self._run([DOCKER, "-H", self.host, *argv], check, input, timeout)

    def windlass(
        self, *argv: str, check: bool = True, input: str | bytes | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run our own CLI."""
        command = python_command("windlass.cli.main", ["windlass", "-H", self.host, *argv])
        return self._run(command, check, input, timeout)

    def _run(
        self, command: list[str], check: bool, data: str | bytes | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            command,
            input=data.encode() if isinstance(data, str) else data,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, "DOCKER_CONFIG": str(self.directory / "docker-config")},
        )
        text = subprocess.CompletedProcess(
            command, result.returncode, result.stdout.decode(errors="replace"), result.stderr.decode(errors="replace")
        )
        if check and result.returncode:
            raise AssertionError(f"{command[-8:]} exited {result.returncode}: {text.stderr}\n{self.log[-600:]}")
        return text

    def request(self, raw: bytes) -> bytes:
        """Send raw HTTP and return everything that comes back."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(20)
            sock.connect(str(self.socket))
            sock.sendall(raw)
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
            return answer

    def get(self, path: str) -> bytes:
        """GET a path, and return head and body."""
        return self.request(f"GET {path} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n".encode())


def busybox_tar(directory: Path) -> Path:
    """Make a tar of a busybox root."""
    root = make_busybox_root(directory / "root")
    path = directory / "busybox.tar"
    with tarfile.open(path, "w") as tar:
        for entry in sorted(root.iterdir()):
            tar.add(entry, entry.name)
    return path
