"""A certificate authority for tests, made by the `openssl` program."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

OPENSSL = shutil.which("openssl")


class Authority:
    """An authority in `directory`: `ca.pem`, and one folder for each certificate with `ca.pem`, `cert.pem`, `key.pem`,
    which is what `DOCKER_CERT_PATH` names."""

    def __init__(self, directory: Path) -> None:
        if OPENSSL is None:
            pytest.skip("no openssl on this host")
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.ca = directory / "ca.pem"
        self._openssl(*_NEW_KEY, "-x509", "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=authority", *_DAYS)

    def issue(self, name: str) -> Path:
        """Make a certificate for `name`, good for 127.0.0.1 too, and return its folder."""
        folder = self.directory / name
        folder.mkdir()
        (folder / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        request = f"{name}/request"
        self._openssl(*_NEW_KEY, "-keyout", f"{name}/key.pem", "-out", request, "-subj", f"/O=tests/CN={name}")
        signer = ("-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", f"{name}/ext")
        self._openssl("x509", "-req", "-in", request, "-out", f"{name}/cert.pem", *signer, *_DAYS)
        shutil.copy(self.ca, folder)
        return folder

    def _openssl(self, *argv: str) -> None:
        assert OPENSSL is not None
        subprocess.run([OPENSSL, *argv], cwd=self.directory, check=True, capture_output=True)


_NEW_KEY = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_DAYS = ("-days", "2")


def client_context(folder: Path | None, ca: Path) -> ssl.SSLContext:
    """A client that trusts `ca`, with the certificate in `folder` or none."""
    context = ssl.create_default_context(cafile=str(ca))
    if folder is not None:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def server_flags(folder: Path) -> list[str]:
    """The daemon's options for the certificate in `folder`."""
    return [
        "--tlsverify",
        "--tlscacert",
        str(folder / "ca.pem"),
        "--tlscert",
        str(folder / "cert.pem"),
        "--tlskey",
        str(folder / "key.pem"),
    ]
