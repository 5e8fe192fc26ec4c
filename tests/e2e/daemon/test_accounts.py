"""What a running daemon tells of itself: audit log, metrics, and a debug log that has no secret in it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from tests.e2e.daemon.conftest import Guarded
from tests.support.daemon import DOCKER

SECRET = "hunter2-is-secret"


def _audited(guarded: Guarded, path: str) -> dict[str, Any]:
    """Return the last line of a path; it is written soon after the answer."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        lines = [json.loads(line) for line in guarded.audit.read_text().splitlines()]
        found = [line for line in lines if line["path"].endswith(path)]
        if found:
            last: dict[str, Any] = found[-1]
            return last
        time.sleep(0.02)
    raise AssertionError(f"{path} is not in {guarded.audit.read_text()[-2000:]}")


def test_the_audit_log_knows_processes_and_certificates(guarded: Guarded) -> None:
    guarded.engine.get("/v1.44/volumes?filters=%7B%7D")
    line = _audited(guarded, "/v1.44/volumes")
    assert (line["method"], line["status"], line["path"]) == ("GET", 200, "/v1.44/volumes")
    assert line["peer"] == {"uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid()}
    if DOCKER is None:
        pytest.skip("no docker CLI on this host")
    subprocess.run([DOCKER, *guarded.flags(), "inspect", "audited-thing"], capture_output=True)
    line = _audited(guarded, "/containers/audited-thing/json")
    assert (line["status"], line["peer"]["subject"]) == (404, "O=tests,CN=client")
    assert line["peer"]["address"].startswith("127.0.0.1:")


def test_metrics_are_served(guarded: Guarded) -> None:
    url = f"http://127.0.0.1:{guarded.metrics}"
    guarded.engine.docker("run", "--rm", "busybox", "true")
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    started = re.search(r'^engine_daemon_container_actions_seconds_count\{action="start"\} (\d+)$', text, re.MULTILINE)
    assert started is not None and int(started[1]) >= 1
    assert re.search(r"^process_resident_memory_bytes [1-9]", text, re.MULTILINE)
    # Nothing of the API is there.
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}/info", timeout=10)


def test_the_debug_log_has_no_secret(guarded: Guarded) -> None:
    """Environments, credentials, build arguments, queries and bodies that are wrong."""
    engine = guarded.engine
    engine.docker("run", "--name", "keeper", "-d", "-e", f"TOKEN={SECRET}", "busybox", "sleep", "1000")
    try:
        engine.docker("exec", "-e", f"OTHER={SECRET}", "keeper", "true")
        engine.docker("exec", "-e", f"OTHER={SECRET}", "keeper", "no-such-program", check=False)
    finally:
        engine.docker("rm", "-f", "keeper")
    auth = base64.urlsafe_b64encode(json.dumps({"username": "u", "password": SECRET}).encode()).decode()
    for target in (
        "POST /images/create?fromImage=127.0.0.1:1/none&tag=latest",
        f"POST /build?buildargs=%7B%22KEY%22%3A%22{SECRET}%22%7D",
        f"POST /commit?container=none&changes=ENV%20X={SECRET}",
        f"POST /none/{SECRET[:3]}?password={SECRET}",
        "POST /auth",
    ):
        body = json.dumps({"username": "u", "password": SECRET, "serveraddress": "127.0.0.1:1"})
        head = f"{target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\nX-Registry-Auth: {auth}\r\n"
        head += (
            f"Authorization: Bearer {SECRET}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        assert engine.request(head.encode() + body.encode()).startswith(b"HTTP/1.1 ")
    wrong = json.dumps({"Image": "busybox", "Env": [[SECRET]], "Cmd": SECRET})
    head = "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\n"
    engine.request(f"{head}Content-Length: {len(wrong)}\r\n\r\n{wrong}".encode())
    engine.request(f"GET /info HTTP/1.1\r\nHost: d\r\nAuthorization: {SECRET}\x01\r\n\r\n".encode())
    for text in (engine.log, guarded.audit.read_text()):
        assert "/containers/create" in text
        assert SECRET not in text
        assert auth not in text
